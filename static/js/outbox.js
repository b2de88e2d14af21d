// Answers on their way. Each is written down here before anything is sent, is sent again until
// the server says that it holds it, and only then struck off: a lost network, a reload or a
// closed tab lose none. The server keeps one answer however often it comes.
"use strict";

class Outbox {
  static FIRST_WAIT_MS = 1000;
  static MAX_WAIT_MS = 20000;

  // `send(entry)` resolves to {held: true, ...}, {refused: words}, or {wait: words} or null for
  // "not now".
  constructor(name, send) {
    this.name = `musescan-outbox-${name}`;
    this.send = send;
    this.memory = null; // where the browser keeps nothing for us
    this.draining = null;
  }

  entries() {
    if (this.memory) return this.memory;
    try {
      return JSON.parse(localStorage.getItem(this.name)) ?? [];
    } catch {
      return [];
    }
  }

  write(entries) {
    try {
      if (this.memory) throw new Error();
      if (entries.length) localStorage.setItem(this.name, JSON.stringify(entries));
      else localStorage.removeItem(this.name);
    } catch {
      this.memory = entries;
    }
  }

  // An answer to what the server asks next goes before those that wait for it.
  add(entry, first = false) {
    this.write(first ? [entry, ...this.entries()] : [...this.entries(), entry]);
  }

  strike(key) {
    this.write(this.entries().filter((entry) => entry.key !== key));
  }

  has(trial) {
    return this.entries().some((entry) => entry.trial === trial);
  }

  // Sends what there is, oldest first, one at a time; `told(outcome, entry)` hears of each.
  drain(told) {
    this.draining ??= this.drainAll(told).finally(() => (this.draining = null));
    return this.draining;
  }

  async drainAll(told) {
    let waitMs = Outbox.FIRST_WAIT_MS;
    for (let entry; (entry = this.entries()[0]); ) {
      const outcome = await this.send(entry);
      if (outcome === null || outcome.wait !== undefined) {
        told(outcome ?? { wait: "" }, entry);
        await Promise.race([
          new Promise((again) => setTimeout(again, waitMs)),
          new Promise((again) => addEventListener("online", again, { once: true })),
        ]);
        waitMs = Math.min(2 * waitMs, Outbox.MAX_WAIT_MS);
        continue;
      }
      waitMs = Outbox.FIRST_WAIT_MS;
      this.strike(entry.key);
      told(outcome, entry);
      // What was given after a refused answer waits until that one has been given anew.
      if (outcome.refused !== undefined) return;
    }
  }
}

// A server or its proxy that is just restarting, or has too much to do.
const PASSING = new Set([408, 425, 429, 500, 502, 504]);

// The token changes when somebody signs in elsewhere in this browser: the cookie has the new one.
const csrfToken = () =>
  /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ??
  document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

// What sends entries to `address`: see the constructor for what comes of each.
const sender = (address) => async (entry) => {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(entry),
    });
    if (PASSING.has(response.status)) return null;
    const told = await response.json();
    // Only our own words count, whether yes or no: a proxy, a captive portal or an error page
    // in between knows nothing of the answer.
    if (response.ok) return told.saved === true ? { held: true, ...told } : null;
    if (typeof told.code !== "string") return null;
    // Paused: the answer waits here for the study to go on.
    if (response.status >= 500) return { wait: told.detail ?? "" };
    return { refused: told.detail ?? "" };
  } catch {
    // No connection, or an answer that was cut off: the same as no answer.
    return null;
  }
};
