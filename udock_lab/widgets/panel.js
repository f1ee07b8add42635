/* The browser's half of every panel: make the page equal to what Python rendered, and tell Python what a person did.

   Python sends a whole page as text. `patch` changes only what differs, so that focus, selection, scroll position
   and open details stay where they are. A control names its action in `data-do`; the action goes to Python with the
   control's value, one message at a time: the next one waits for the answer, and moves of one control that pile up
   meanwhile become one. */

const BEAT = 20_000; // ms between two signs of life; Python stops looking when they stay out
const PATIENCE = 1_500; // ms without an answer after which the panel says so
const SLACK = 5; // px that a pointer may move in a click
const OWN_KEYS = "data-lm-suppress-shortcuts"; // JupyterLab leaves the keys of an element with this attribute alone
const BUSY = "The kernel has not answered yet: it may be busy with another cell. If it was restarted, run this cell again.";

function patch(old, now, settled) {
  const ours = (name) => name === OWN_KEYS || (name === "open" && old.nodeName === "DETAILS");
  for (const name of old.getAttributeNames()) if (!now.hasAttribute(name) && !ours(name)) old.removeAttribute(name);
  for (const name of now.getAttributeNames())
    if (old.getAttribute(name) !== now.getAttribute(name) && !ours(name)) old.setAttribute(name, now.getAttribute(name));
  patchChildren(old, now, settled);
  if (settled) takeValue(old, now);
}

function takeValue(old, now) {
  if (old.nodeName === "INPUT" && ["checkbox", "radio"].includes(old.type)) {
    if (old.checked !== now.checked) old.checked = now.checked;
  } else if (["INPUT", "SELECT"].includes(old.nodeName) && old.value !== now.value) old.value = now.value;
}

function patchChildren(old, now, settled) {
  const wantedKeys = new Set([...now.children].map(keyOf).filter(Boolean));
  const known = new Map();
  for (const child of [...old.children]) {
    const key = keyOf(child);
    if (key && !wantedKeys.has(key)) child.remove();
    else if (key) known.set(key, child);
  }
  let at = old.firstChild;
  for (const wanted of [...now.childNodes]) {
    const key = keyOf(wanted);
    const have = key ? known.get(key) : at && !keyOf(at) ? at : null;
    if (!have || have.nodeName !== wanted.nodeName) {
      old.insertBefore(wanted, at);
      continue;
    }
    if (have === at) at = at.nextSibling;
    else old.insertBefore(have, at);
    if (have.nodeType === Node.ELEMENT_NODE) patch(have, wanted, settled);
    else if (have.data !== wanted.data) have.data = wanted.data;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const keyOf = (node) => node.dataset?.key;

function middleOf(node) {
  const box = node.getBoundingClientRect();
  return (box.top + box.bottom) / 2;
}

// anywidget gives this module two seconds to load. On a machine that needs longer it never lets a message through to
// the model again, so the model takes them by itself; what was lost before is asked for.
async function initialize({ model }) {
  const whole = await model.widget_manager?.get_model(model.get("_id"));
  const plain = Object.getPrototypeOf(Object.getPrototypeOf(whole ?? {}) ?? {});
  if (!plain?._handle_comm_msg || !whole.comm?.on_msg) return;
  whole.comm.on_msg((message) => plain._handle_comm_msg.call(whole, message));
  model.send({ do: "loaded" });
}

function render({ model, el }) {
  const view = Math.random().toString(36).slice(2);
  const form = document.createElement("form");
  form.className = "udock panel";
  form.tabIndex = -1;
  form.noValidate = true;
  form.autocomplete = "off";
  form.setAttribute("role", "group");
  form.setAttribute("aria-label", model.get("_label"));
  el.append(form);

  const waiting = []; // what Python has not been told yet
  let sent = null; // what it was told and has not answered
  let complaint = null;

  function show() {
    const page = document.createElement("template");
    page.innerHTML = model.get("_html");
    const fresh = new Set(page.content.querySelectorAll("[data-focus]"));
    const focused = form.contains(document.activeElement) && document.activeElement !== form;
    patchChildren(form, page.content, !sent && !waiting.length);
    if (complaint) form.append(complaint);
    const asks = [...form.querySelectorAll("[data-focus]")].find((node) => fresh.has(node));
    if (asks) asks.focus({ preventScroll: true });
    else if (focused && !form.contains(document.activeElement))
      (form.querySelector("[data-home]") ?? form).focus({ preventScroll: true });
  }

  function tell(action, value) {
    const last = waiting.at(-1);
    if (last?.do === action) last.value = value;
    else waiting.push({ do: action, value, view });
    next();
  }

  function next() {
    if (sent || !waiting.length) return;
    sent = waiting.shift();
    sent.patience = setTimeout(complain, PATIENCE);
    model.send({ do: sent.do, value: sent.value, view });
  }

  function complain() {
    complaint = document.createElement("p");
    complaint.className = "problem";
    complaint.setAttribute("role", "status");
    complaint.textContent = BUSY;
    form.append(complaint);
  }

  function answered(message) {
    if (message.answers !== view || !sent) return;
    clearTimeout(sent.patience);
    complaint?.remove();
    sent = complaint = null;
    if (waiting.length) next();
    else show();
  }

  // The clipboard belongs to pages of https and of this machine; elsewhere the older way copies what is selected.
  async function copy(button) {
    const asked = document.activeElement;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const field = document.createElement("textarea");
      field.value = button.dataset.copy;
      field.style.position = "fixed";
      form.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      asked?.focus({ preventScroll: true });
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2_000);
  }

  const usable = (node) => node && node.getAttribute("aria-disabled") !== "true";
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    const copies = event.target.closest("button[data-copy]");
    if (copies) copy(copies);
    const button = event.target.closest("button[data-do]");
    if (usable(button)) tell(button.dataset.do, button.dataset.value ?? "");
  });
  form.addEventListener("input", (event) => {
    const { type, checked, value, dataset } = event.target;
    if (dataset.do) tell(dataset.do, type === "checkbox" ? [dataset.value ?? "", checked] : [dataset.value ?? "", value]);
  });
  form.addEventListener("keydown", (event) => {
    const meant = { Escape: "button[data-escape]", Enter: event.target.type === "text" && "button.main" }[event.key];
    const button = meant && form.querySelector(meant);
    if (!usable(button)) return;
    event.preventDefault();
    button.click();
  });

  // A line of a list with `data-moves` is dragged to its place by mouse, or by its number with a finger (elsewhere a
  // finger scrolls the page): it is chosen first, and goes where the pointer is among the other lines.
  let dragged = null;
  form.addEventListener("pointerdown", (event) => {
    const line = event.target.closest("[data-moves] > label");
    if (!line || event.button || (event.pointerType === "touch" && event.target.nodeName !== "B")) return;
    dragged = { from: event.clientY, list: line.parentElement, value: line.querySelector("input").value, place: -1 };
  });
  form.addEventListener("pointermove", (event) => {
    if (!dragged || (dragged.place < 0 && Math.abs(event.clientY - dragged.from) < SLACK)) return;
    if (dragged.place < 0) {
      form.setPointerCapture(event.pointerId);
      form.classList.add("dragging");
      tell("choose", ["", dragged.value]);
    }
    const others = [...dragged.list.children].filter((line) => line.querySelector("input").value !== dragged.value);
    const place = others.filter((line) => middleOf(line) < event.clientY).length;
    if (place === dragged.place) return;
    dragged.place = place;
    tell("place", ["", others.length + 1 - place]);
  });
  const drop = (event) => {
    if (dragged?.place >= 0) event.preventDefault();
    dragged = null;
    form.classList.remove("dragging");
  };
  form.addEventListener("pointerup", drop);
  form.addEventListener("pointercancel", drop);

  // Arrows and letters belong to the control that has the focus; Ctrl+S and its like stay JupyterLab's.
  const claim = (event) => {
    if (form.contains(event.target)) event.target.toggleAttribute(OWN_KEYS, !(event.ctrlKey || event.metaKey));
  };
  window.addEventListener("keydown", claim, { capture: true }); // before JupyterLab, which listens at the document

  const beat = () => document.hidden || model.send({ do: "shown", view });
  const pulse = setInterval(beat, BEAT);
  document.addEventListener("visibilitychange", beat);
  model.on("change:_html", show);
  model.on("msg:custom", answered);
  show();
  beat();
  return () => {
    clearInterval(pulse);
    document.removeEventListener("visibilitychange", beat);
    window.removeEventListener("keydown", claim, { capture: true });
    model.off("change:_html", show);
    model.off("msg:custom", answered);
    model.send({ do: "hidden", view });
  };
}

export default { initialize, render };
