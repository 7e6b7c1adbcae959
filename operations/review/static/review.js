"use strict";
// The server holds all state; this window only has a name, so that loading the page again shows the same photo.
const find = (id) => document.getElementById(id);
const token = document.body.dataset.token;
const undoSeconds = Number(document.body.dataset.undoSeconds);
const MILLISECONDS = { queue: 3000, decisions: 2000, steps: 400, away: 240000 };

const windowName = (() => {
  const made = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const kept = sessionStorage.getItem("window") ?? made();
  sessionStorage.setItem("window", kept);
  return kept;
})();

let current = null; // the photo that is shown
let shownAt = 0;
let busy = false;
let undoTimer = null;
let active = performance.now(); // a page that nobody is at must not keep photos from others

for (const name of ["keydown", "pointerdown", "pointermove", "focus"]) {
  addEventListener(name, () => { active = performance.now(); }, { passive: true });
}

const node = (tag, text, className) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer: is it still running?");
  }
  const answered = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answered.error ?? response.statusText), { status: response.status });
  return answered;
}

const post = (path, body) =>
  ask(path, {
    method: "POST",
    headers: { "X-Scones-Token": token, ...(body instanceof FormData ? {} : { "Content-Type": "application/json" }) },
    body: body instanceof FormData ? body : JSON.stringify(body ?? {}),
  });

const source = (photo) => `/photo?receipt=${encodeURIComponent(photo.receipt)}`;

async function why(address) {
  // an <img> does not tell why it could not be loaded
  try {
    await ask(address);
    return "the photo can't be shown";
  } catch (error) {
    return error.message;
  }
}

function show(photo) {
  const same = photo !== null && current !== null && photo.receipt === current.receipt;
  current = photo;
  find("answers").hidden = photo === null;
  if (same) return;
  shownAt = performance.now();
  const image = find("photo"), instead = find("instead");
  instead.hidden = photo !== null;
  image.hidden = photo === null;
  find("scores").replaceChildren();
  if (photo === null) {
    image.removeAttribute("src");
    find("opinion").textContent = find("key").textContent = "";
    instead.textContent = "Nothing waits for a person.";
    return;
  }
  image.onerror = async () => {
    const reason = photo.key ? await why(source(photo)) : photo.opinion;
    if (current !== photo) return;
    image.hidden = true;
    instead.hidden = false;
    instead.textContent = reason.charAt(0).toUpperCase() + reason.slice(1) + ".";
  };
  image.src = source(photo);
  const word = node("span", photo.why, `word ${photo.outcome}`);
  find("opinion").replaceChildren(word, ": ", photo.opinion);
  find("key").textContent = `${photo.key || "no photo is named"} · waiting for ${photo.age}`;
  const labels = [...document.querySelectorAll("#answers button")].map((button) => button.dataset.answer);
  photo.inferences.forEach((score, index) => {
    const line = node("li"), meter = node("meter");
    meter.value = score;
    meter.textContent = score.toFixed(3);
    line.append(node("span", labels[index] ?? "?"), meter, node("b", score.toFixed(3)));
    find("scores").append(line);
  });
}

function fail(error) {
  find("error").textContent = error ? error.message : "";
}

async function look() {
  const { photos, counts } = await ask(`/api/waiting/${windowName}`);
  show(photos[0] ?? null);
  if (photos[1]) new Image().src = source(photos[1]); // so that the next photo comes at once
  const many = counts.waiting + counts.held;
  find("counts").textContent = many === 0 ? "The queue is empty" : `About ${many} ${many === 1 ? "photo waits" : "photos wait"}, ${counts.held} of them on somebody's screen`;
}

async function answer(said, word) {
  if (current === null || busy) return;
  busy = true;
  fail(null);
  const photo = current;
  try {
    const { bay } = await post(`/api/answer/${windowName}`, { receipt: photo.receipt, answer: said, seconds: (performance.now() - shownAt) / 1000 });
    find("said").textContent = bay ? `${word}: ${bay}.` : `${word}.`;
    offerUndo(true);
  } catch (error) {
    fail(error);
    // answered by somebody else, or back in the queue: both mean that the next photo is due
    if (error.status !== 409 && error.status !== 422) return;
  } finally {
    busy = false;
  }
  await look().catch(fail);
}

function offerUndo(possible) {
  clearTimeout(undoTimer);
  find("undo").hidden = !possible;
  if (possible) undoTimer = setTimeout(() => offerUndo(false), undoSeconds * 1000);
}

async function undo() {
  if (find("undo").hidden || busy) return;
  busy = true;
  fail(null);
  offerUndo(false);
  try {
    await post(`/api/undo/${windowName}`);
    find("said").textContent = "Taken back.";
  } catch (error) {
    fail(error);
  } finally {
    busy = false;
  }
  await look().catch(fail);
}

async function tryPhoto(file) {
  const line = node("li"), state = node("div", "is sent …", "steps");
  line.append(node("strong", file.name), state);
  find("tried").prepend(line);
  const form = new FormData();
  form.append("photo", file);
  try {
    const { key } = await post("/api/photos", form);
    for (;;) {
      const { decisions } = await ask("/api/decisions");
      const mine = decisions.find((each) => each.key === key);
      if (mine) {
        const { steps } = await ask(`/api/steps?execution=${encodeURIComponent(mine.execution)}`);
        state.textContent = steps.join(" → ");
        if (mine.outcome) {
          line.append(verdict(mine));
          return;
        }
      } else {
        state.textContent = "arrived; its execution starts …";
      }
      await new Promise((resolve) => setTimeout(resolve, MILLISECONDS.steps));
    }
  } catch (error) {
    state.textContent = error.message;
  }
}

function verdict(decision) {
  const line = node("div");
  line.append(node("span", decision.word ?? "under way", `word ${decision.outcome ?? ""}`));
  const label = decision.label ? ` ${decision.label} ${decision.confidence?.toFixed(3) ?? ""}` : "";
  const bay = decision.loading_bay ? ` → ${decision.loading_bay}` : "";
  const fault = decision.error ? ` ${decision.error}` : "";
  line.append(label + bay + fault);
  return line;
}

async function decisions() {
  const found = (await ask("/api/decisions")).decisions;
  const lines = found.slice(0, 10).map((decision) => {
    const line = node("li"), time = node("time", new Date(decision.at).toLocaleTimeString([], { hour12: false }));
    time.dateTime = decision.at;
    line.append(time, " ", decision.key.split("/").pop() || "no photo", verdict(decision));
    return line;
  });
  find("decisions").replaceChildren(...(lines.length ? lines : [node("li", "No photo yet.")]));
}

function every(milliseconds, action) {
  const turn = async () => {
    await action().catch(fail);
    setTimeout(turn, milliseconds);
  };
  turn();
}

document.querySelectorAll("#answers button").forEach((button) => {
  button.addEventListener("click", () => answer(button.dataset.answer, button.querySelector("strong").textContent));
});
find("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.matches("input, textarea")) return;
  if (event.key === "z") undo();
  document.querySelector(`#answers button[data-key="${CSS.escape(event.key)}"]`)?.click();
});
const drop = find("drop");
const take = (files) => [...files].forEach(tryPhoto);
find("file").addEventListener("change", (event) => take(event.target.files));
for (const name of ["dragover", "dragenter"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
every(MILLISECONDS.queue, async () => {
  if (busy) return;
  if (performance.now() - active < MILLISECONDS.away) return look();
  find("counts").textContent = "Nobody was here for a while: move the pointer or press a key, and the photo is looked up again";
});
every(MILLISECONDS.decisions, decisions);
