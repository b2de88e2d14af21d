// The trial page works without this file. With it: the next image is there at once, answers go
// through the outbox, times are measured from the painted image, number keys choose.
"use strict";

const page = document.querySelector(".trial");
const form = page.querySelector("form.questions");
const submit = form.querySelector("button:not([type=button])") ?? form.querySelector(".button");
const stimuli = [...page.querySelectorAll(".stimulus[data-place]")];
const questions = [...form.querySelectorAll("fieldset.question")];
const words = {
  where: page.querySelector(".where"),
  saved: page.querySelector(".saved"),
  offline: page.querySelector(".offline"),
  heading: page.querySelector("h1"),
};
const exposureMs = Number(page.dataset.exposureMs) || null;

// Where the participant is: the trials that the server has told of, the first one on the page.
let { total, trials } = JSON.parse(document.querySelector("#trials").textContent);
let current = null;
let missed = null; // the trial whose image did not come because there is no network
let onward = null; // where to go when everything is sent
let refused = false;

// crypto.randomUUID is there on secure pages only; a laboratory's own network may have none.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

// Measuring

let paintedAt = null;
let evidence = {};
const count = (name) => (evidence[name] = (evidence[name] ?? 0) + 1);
let hiddenAt = null;

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    count("n_hidden");
    hiddenAt = performance.now();
  } else if (hiddenAt !== null) {
    evidence.hidden_ms = Math.round((evidence.hidden_ms ?? 0) + performance.now() - hiddenAt);
    hiddenAt = null;
  }
});
addEventListener("blur", () => count("n_blurred"));
addEventListener("resize", () => count("n_resized"));
addEventListener("pointerdown", (event) => (evidence.input = event.pointerType), true);
addEventListener("keydown", () => (evidence.input = "key"), true);

function noteChange(event) {
  if (paintedAt === null || !event.target.name?.startsWith("answer-")) return;
  const changes = (evidence.changes ??= []);
  const name = event.target.name.slice("answer-".length);
  if (changes.length < 50) {
    changes.push([Math.round(performance.now() - paintedAt), name, String(event.target.value).slice(0, 60)]);
  }
}

// The second frame after decoding is the first that is sure to show the image.
const frames = () =>
  new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => shown(performance.now()))));

// Showing

async function load(picture, address) {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (attempt) {
      count("n_retries");
      await new Promise((again) => setTimeout(again, 400 * attempt));
    }
    const url = attempt ? `${address}?again=${attempt}` : address;
    if (attempt || picture.getAttribute("src") !== address) picture.src = url;
    try {
      await picture.decode();
      return true;
    } catch {
      // Truncated, refused or no network: once more.
    }
  }
  return false;
}

// Every image that is known: with them a participant goes on while the network is away.
function preload() {
  for (const image of trials.slice(1).flatMap((trial) => trial.images)) new Image().src = image.url;
}

function place(stimulus, image) {
  stimulus.style.setProperty("--native-width", image.width);
  stimulus.style.setProperty("--native-height", image.height);
  stimulus.classList.toggle("small", image.small);
  stimulus.classList.toggle("pixelated", image.small && page.dataset.pixelated === "yes");
  const picture = stimulus.querySelector("img");
  picture.width = image.width;
  picture.height = image.height;
}

// Counts calls of `show`, so that one that was overtaken while it waited stops.
let showing = 0;

async function show(trial, first) {
  const run = ++showing;
  current = trial;
  paintedAt = null;
  evidence = {};
  stimuli.forEach((stimulus, index) => {
    stimulus.querySelector(".stimulus-failed")?.remove();
    stimulus.querySelector("img").hidden = false;
    stimulus.classList.remove("masked");
    place(stimulus, trial.images[index]);
    if (exposureMs) stimulus.classList.add("waiting");
  });
  if (!first) {
    form.reset();
    for (const fieldset of questions) fieldset.querySelector(".wrong")?.remove();
  }
  form.elements.trial.value = trial.trial;
  const instruction = form.querySelector(".instruction");
  instruction.textContent = trial.instruction;
  instruction.hidden = !trial.instruction;
  progress();
  submit.setAttribute("aria-disabled", "true");
  if (!first) words.heading.focus({ preventScroll: true });
  const asked = performance.now();
  const loaded = await Promise.all(
    stimuli.map((stimulus, index) => load(stimulus.querySelector("img"), trial.images[index].url)),
  );
  if (run !== showing || current !== trial) return;
  if (loaded.includes(false)) {
    failed(trial, loaded.indexOf(false));
    return;
  }
  let requestedAt = asked;
  if (exposureMs) {
    // A blank moment, so that nobody is taken by surprise.
    await new Promise((go) => setTimeout(go, 500));
    if (run !== showing || current !== trial) return;
    requestedAt = performance.now();
    for (const stimulus of stimuli) stimulus.classList.remove("waiting");
  }
  const painted = await frames();
  if (run !== showing || current !== trial) return;
  paintedAt = painted;
  evidence.onset_ms = Math.round(paintedAt - requestedAt);
  submit.removeAttribute("aria-disabled");
  preload();
  if (exposureMs) limitExposure(trial, paintedAt);
}

function limitExposure(trial, from) {
  evidence.asked_ms = exposureMs;
  // Half a frame early is nearer than half a frame late.
  const frameMs = 8;
  const check = async (now) => {
    if (current !== trial) return;
    if (now - from < exposureMs - frameMs) {
      requestAnimationFrame(check);
      return;
    }
    for (const stimulus of stimuli) stimulus.classList.add("masked");
    const gone = await new Promise((shown) => requestAnimationFrame(shown));
    if (current === trial) evidence.shown_ms = Math.round(gone - from);
  };
  requestAnimationFrame(check);
}

// An image that was not seen is not rated. Without network none can be seen, whichever it is:
// it is shown when the network is back, and cannot be skipped.
async function failed(trial, index) {
  const run = showing;
  const away = !navigator.onLine || !words.offline.hidden || !(await reached(trial, index));
  if (run !== showing || current !== trial) return;
  const notice = page.querySelector("template.failed").content.cloneNode(true).firstElementChild;
  const picture = stimuli[index].querySelector("img");
  picture.hidden = true;
  stimuli[index].append(notice);
  notice.querySelector("[data-act=again]").addEventListener("click", () => show(trial, true));
  const skip = notice.querySelector("[data-act=skip]");
  skip.hidden = away;
  skip.addEventListener("click", () => {
    commit({ key: newKey(), trial: trial.trial, unseen: true });
  });
  missed = away ? trial : null;
}

// Whether the server itself can be asked: while it restarts, no image is broken.
const reached = (trial, index) =>
  fetch(trial.images[index].url, { method: "HEAD" }).then(
    (answer) => !PASSING.has(answer.status),
    () => false,
  );

function showMissed() {
  if (missed !== null && missed === current) show(missed, true);
  missed = null;
}
addEventListener("online", showMissed);

function progress() {
  const number = current.number;
  const bar = page.querySelector("progress");
  const practice = current.practice;
  page.classList.toggle("practising", practice);
  words.where.textContent = practice ? words.where.dataset.practice : fill(words.where.dataset.of, { number, total });
  words.heading.textContent = practice ? words.heading.dataset.practice : fill(words.heading.dataset.words, { number });
  if (total) bar.max = total;
  bar.value = practice ? 0 : number - 1;
}

// Sending

const outbox = new Outbox(page.dataset.outbox, sender(page.dataset.answers));

// Why an answer was refused is said on the page that comes after it.
const REASON = "musescan-refused";

function keepReason(words) {
  try {
    sessionStorage.setItem(REASON, words);
  } catch {
    // Where nothing can be kept, the page comes without the reason.
  }
}

function sayReason() {
  try {
    const reason = sessionStorage.getItem(REASON);
    sessionStorage.removeItem(REASON);
    if (!reason) return;
    words.offline.textContent = reason;
    words.offline.hidden = false;
  } catch {
    // Nothing was kept.
  }
}

function told(outcome, entry) {
  if (outcome.wait !== undefined) {
    words.offline.textContent = outcome.wait || words.offline.dataset.words;
    words.offline.hidden = false;
    return;
  }
  words.offline.hidden = true;
  showMissed();
  if (outcome.refused !== undefined) {
    // The server said no and stored nothing: its own page says where things stand, and why.
    refused = true;
    keepReason(outcome.refused);
    return;
  }
  if (!outbox.entries().length) words.saved.textContent = words.saved.dataset.saved;
  onward = outcome.go;
  total = outcome.total ?? total;
  // Only what the server still asks for is shown: another tab may have answered the rest.
  const asked = new Set(outcome.trials.map((trial) => trial.trial));
  trials = trials.filter((trial) => asked.has(trial.trial));
  if (current && !trials.includes(current) && !outbox.has(current.trial)) current = null;
  const known = new Set(trials.map((trial) => trial.trial));
  trials.push(...outcome.trials.filter((trial) => !known.has(trial.trial) && !outbox.has(trial.trial)));
  const changed = page.querySelector(".previous");
  if (changed && !entry.unseen) {
    changed.href = `?change=${entry.trial}`;
    changed.hidden = false;
  }
  if (trials.length && current === null) show(trials[0]);
  else preload();
}

async function sendAll() {
  await outbox.drain(told);
  if (refused) {
    location.reload();
    return;
  }
  if (outbox.entries().length) {
    // Another answer was given while the last one was struck off.
    await sendAll();
    return;
  }
  if (!trials.length && onward) location.assign(onward);
  else if (!trials.length) location.reload();
}

function commit(entry) {
  outbox.add(entry, waiting);
  waiting = false;
  words.saved.textContent = words.saved.dataset.saving;
  trials.shift();
  current = null;
  submit.setAttribute("aria-disabled", "true");
  // The next image is here already: nobody waits for the acknowledgement to see it.
  if (trials.length) show(trials[0]);
  sendAll();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (current === null || paintedAt === null) return;
  const answers = {};
  for (const [name, value] of new FormData(form)) {
    if (name.startsWith("answer-")) answers[name.slice("answer-".length)] = value;
  }
  evidence.width_px = innerWidth;
  evidence.height_px = innerHeight;
  evidence.pixel_ratio = devicePixelRatio;
  commit({
    key: newKey(),
    trial: current.trial,
    answers,
    response_time_ms: Math.round(performance.now() - paintedAt),
    evidence,
  });
});

// Keys: numbers go to the first question without an answer, then to the one touched last.
const KEYS_OFF = "musescan-keys-off";
const toggle = page.querySelector(".keys-toggle");
const remember = (value) => {
  try {
    if (value !== undefined) localStorage.setItem(KEYS_OFF, value);
    return localStorage.getItem(KEYS_OFF);
  } catch {
    return value ?? null;
  }
};
let touched = null;
let keysOff = remember() === "yes";
const answered = (question) => question.querySelector(":invalid") === null;

function showKeys() {
  page.classList.toggle("keys-on", !keysOff);
  toggle.setAttribute("aria-pressed", String(!keysOff));
  toggle.textContent = keysOff ? toggle.dataset.off : toggle.dataset.on;
}
if (toggle) {
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    keysOff = !keysOff;
    remember(keysOff ? "yes" : "no");
    showKeys();
  });
  showKeys();
}

form.addEventListener("change", (event) => {
  touched = event.target.closest("fieldset.question");
  noteChange(event);
});

document.addEventListener("keydown", (event) => {
  if (!toggle || keysOff || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!/^[0-9]$/.test(event.key) || event.target.matches("textarea, input[type=text], input[type=number]")) return;
  const question = questions.find((each) => !answered(each)) ?? touched ?? questions.at(-1);
  const choice = question?.querySelector(`input[data-key="${event.key}"]`);
  if (!choice) return;
  event.preventDefault();
  // A key that is held down says nothing new, and nobody rates what is not painted yet.
  if (event.repeat || paintedAt === null) return;
  if (choice.checked) {
    // The second press of the same key commits, once everything is answered.
    if (questions.every(answered)) form.requestSubmit();
    return;
  }
  choice.checked = true;
  choice.focus();
  choice.dispatchEvent(new Event("change", { bubbles: true }));
});

// Looking closer
const zoom = page.querySelector(".zoom");
if (zoom) {
  const closer = page.querySelector("dialog.closer");
  zoom.hidden = false;
  zoom.addEventListener("click", () => {
    count("n_zoomed");
    closer.querySelector(".closer-images").replaceChildren(
      ...stimuli.map((stimulus) => {
        const copy = stimulus.querySelector("img").cloneNode();
        copy.classList.toggle("pixelated", stimulus.classList.contains("pixelated"));
        return copy;
      }),
    );
    closer.showModal();
  });
}

// A page brought back by the back button may be of long ago: the server knows where one is.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// What an earlier page left behind goes first, and is not asked again; unless the server still
// waits for an answer before it, which was refused: then it waits too.
let waiting = trials.slice(1).some((trial) => outbox.has(trial.trial)) && !outbox.has(trials[0].trial);
trials = trials.filter((trial) => !outbox.has(trial.trial));
sayReason();
if (outbox.entries().length && !waiting) {
  words.saved.textContent = words.saved.dataset.saving;
  submit.setAttribute("aria-disabled", "true");
  sendAll();
}
if (trials.length) show(trials[0], waiting || !outbox.entries().length);
