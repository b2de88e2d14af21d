// Follows a job under way: asks how far it is, and loads the page anew when that is another.
"use strict";

const ASK_AGAIN_MS = 1000;
const box = document.querySelector("[data-job]");
const parts = Object.fromEntries(
  ["progress", "message", "share", "elapsed"].map((name) => [name, box?.querySelector(`[data-${name}]`)]),
);

function duration(seconds) {
  if (seconds === null) return "";
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function show(told) {
  if (told.n_total) {
    parts.progress.max = told.n_total;
    parts.progress.value = told.n_done;
    parts.share.textContent = `${Math.round((100 * told.n_done) / told.n_total)} %`;
  }
  // Only where it changes, so that a screen reader is not told the same every second.
  if (parts.message.textContent !== told.message) parts.message.textContent = told.message;
  parts.elapsed.textContent = duration(told.elapsed_s);
}

async function follow() {
  try {
    const answer = await fetch(box.dataset.job, { headers: { Accept: "application/json" } });
    if (answer.redirected || answer.status === 404) {
      location.reload();
      return;
    }
    if (answer.ok) {
      const told = await answer.json();
      if (told.page !== box.dataset.page) {
        location.reload();
        return;
      }
      show(told);
    }
  } catch {
    // The server or the network is away; the work may go on, so ask again.
  }
  setTimeout(follow, ASK_AGAIN_MS);
}

if (box) follow();
