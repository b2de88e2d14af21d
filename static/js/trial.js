// The trial page works without this file. With it: the response time from the painted image,
// number keys, the next image fetched ahead, one submission per press, and patience without a
// network.
"use strict";

const form = document.querySelector("form.questions");
const submit = form.querySelector("button");
const image = document.querySelector(".stimulus img");
const offline = document.querySelector(".offline");

let paintedAt = null;
let submitted = false;
let failed = false; // an image that was not seen is not rated

function painted() {
  // The second frame after decoding is the first that is sure to show the image.
  requestAnimationFrame(() => requestAnimationFrame(() => (paintedAt = performance.now())));
  if (form.dataset.nextImage) new Image().src = form.dataset.nextImage;
}

function watch(picture, retried) {
  picture.decode().then(painted, () => {
    if (!retried) {
      picture.src = `${picture.src.split("?")[0]}?again`;
      watch(picture, true);
      return;
    }
    failed = true;
    submit.disabled = true;
    const notice = document.createElement("div");
    notice.className = "stimulus-failed";
    notice.setAttribute("role", "alert");
    const again = document.createElement("a");
    again.href = location.href;
    again.textContent = "Try again";
    notice.append("The image did not load. Your answers so far are saved.", again);
    picture.replaceWith(notice);
  });
}
watch(image, false);

// Number keys go to the first question without an answer, then to the one touched last.
const KEYS_OFF = "musescan-keys-off";
const questions = [...form.querySelectorAll("fieldset")];
const toggle = document.querySelector(".keys-toggle");
let touched = null;
let keysOff = localStorage.getItem(KEYS_OFF) === "yes";

function showKeys() {
  document.body.classList.toggle("keys-on", !keysOff);
  toggle.setAttribute("aria-pressed", String(!keysOff));
  toggle.querySelector("span").textContent = keysOff ? "off" : "on";
}
toggle.hidden = false;
toggle.addEventListener("click", () => {
  keysOff = !keysOff;
  localStorage.setItem(KEYS_OFF, keysOff ? "yes" : "no");
  showKeys();
});
showKeys();

const answered = (question) => question.querySelector("input:checked") !== null;

form.addEventListener("change", (event) => (touched = event.target.closest("fieldset")));

document.addEventListener("keydown", (event) => {
  if (keysOff || event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
  const question = questions.find((each) => !answered(each)) ?? touched ?? questions.at(-1);
  const choice = question.querySelector(`input[data-key="${event.key}"]`);
  if (!choice) return;
  event.preventDefault();
  if (choice.checked) {
    // The second press of the same key commits, once everything is answered.
    if (questions.every(answered)) form.requestSubmit();
    return;
  }
  choice.checked = true;
  choice.focus();
  touched = question;
});

// The answer is sent from here, not by leaving the page, so that a lost network keeps the page
// and the answer: it is sent again until the server has said that it holds it. The server keeps
// one answer however often it comes.
const MAX_WAIT_MS = 20000;
const PASSING = new Set([500, 502, 504]); // a server or its proxy that is just restarting

async function send(answers, waitMs) {
  let response = null;
  try {
    response = await fetch(location.href, { method: "POST", body: answers, redirect: "manual" });
  } catch {
    // No connection: the same as no answer.
  }
  if (response === null || PASSING.has(response.status)) {
    offline.hidden = false;
    await Promise.race([
      new Promise((again) => setTimeout(again, waitMs)),
      new Promise((again) => addEventListener("online", again, { once: true })),
    ]);
    return send(answers, Math.min(2 * waitMs, MAX_WAIT_MS));
  }
  // Stored: the same address leads on to the next image, or to the end.
  if (response.type === "opaqueredirect") location.replace(location.href);
  // Anything else is a page with words for the participant: let the browser show it.
  else form.submit();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (submitted || failed) return;
  submitted = true;
  submit.setAttribute("aria-disabled", "true");
  if (paintedAt !== null) {
    form.elements.response_time_ms.value = Math.round(performance.now() - paintedAt);
  }
  send(new URLSearchParams(new FormData(form)), 1000);
});

// A page brought back by the back button may be sent again; the server keeps one answer.
addEventListener("pageshow", () => {
  submitted = false;
  submit.removeAttribute("aria-disabled");
});
