// What a mouse can do beyond forms: everything here has a field or a button that does the same without a script.
"use strict";
(() => {
  document.documentElement.classList.add("scripted");

  // -- live status: the server says that something changed; without its stream we ask every few seconds ---------
  if (document.querySelector("[hx-trigger^=live]")) {
    const look = () => document.body.dispatchEvent(new CustomEvent("live"));
    let asking = 0;
    const ask = (every) => { clearInterval(asking); asking = setInterval(look, every); };
    let stream = null;
    const listen = () => {
      stream = new EventSource("/console/events");
      stream.onopen = () => { document.documentElement.dataset.live = "stream"; ask(60000); look(); };
      stream.addEventListener("changed", look);
      stream.onerror = () => { document.documentElement.dataset.live = "polling"; ask(5000); };
    };
    // A page that nobody sees gives its connection back: browsers have six for one address.
    const watch = () => {
      if (stream) { stream.close(); stream = null; }
      if (document.visibilityState === "hidden") clearInterval(asking);
      else if (window.EventSource) listen();
      else { ask(5000); look(); }
    };
    document.addEventListener("visibilitychange", watch);
    window.addEventListener("pagehide", () => { if (stream) stream.close(); });
    watch();
  }

  // -- tables on narrow screens become lists: each cell says what its column was --------------------------------
  const label = () => {
    for (const table of document.querySelectorAll(".wrap table")) {
      const words = [...table.querySelectorAll("thead th")].map((each) => each.textContent.trim());
      for (const row of table.querySelectorAll("tbody tr"))
        [...row.cells].forEach((cell, at) => { cell.dataset.label = words[at] || ""; });
    }
  };
  label();
  document.addEventListener("htmx:afterSwap", label);

  // -- technique: mAs = mA x ms / 1000 ------------------------------------------------------------------------
  document.addEventListener("input", (event) => {
    const form = event.target.closest("#technique");
    if (!form) return;
    const product = (Number(form.elements.tube_current.value) * Number(form.elements.exposure_time.value)) / 1000;
    document.getElementById("mas").textContent = Number.isFinite(product) ? product.toFixed(3) : "–";
  });

  // -- settings from a file -----------------------------------------------------------------------------------
  document.addEventListener("change", async (event) => {
    if (event.target.id !== "import-file" || !event.target.files.length) return;
    document.getElementById("import-text").value = await event.target.files[0].text();
  });

  // -- viewer: drag for window, pan and zoom; clicks for length and angle ---------------------------------------
  const FIELDS = ["window_center", "window_width", "zoom", "pan_x", "pan_y", "rotate"];
  const POINTS = { length: 2, angle: 3 };
  let drag = null;
  let clicks = [];

  const tools = () => document.getElementById("tools");
  const tool = () => (tools().querySelector("input[name=tool]:checked") || { value: "window" }).value;

  function redraw(tile) {
    const form = tools();
    const image = tile.querySelector("img");
    const query = new URLSearchParams();
    for (const name of FIELDS) query.set(name, form.elements[name].value);
    for (const name of ["flip_h", "flip_v", "invert"]) if (form.elements[name]) query.set(name, "True");
    const wanted = `/console/image/${tile.dataset.instance}.png?${query}`;
    // One picture on its way at a time; the latest wish is drawn when it has come.
    if (image.dataset.busy) { image.dataset.wanted = wanted; return; }
    image.dataset.busy = "1";
    image.onload = image.onerror = () => {
      delete image.dataset.busy;
      const next = image.dataset.wanted;
      delete image.dataset.wanted;
      if (next) { image.dataset.busy = "1"; image.src = next; }
    };
    image.src = wanted;
  }

  function press(name) {
    const form = tools();
    const button = form.querySelector(`button[value=${name}]`);
    if (button) { form.requestSubmit(button); return; }
    const extra = document.createElement("input");
    Object.assign(extra, { type: "hidden", name: "press", value: name });
    form.append(extra);
    form.requestSubmit();
    extra.remove();
  }

  function set(name, value) {
    tools().elements[name].value = String(Math.round(value * 1000) / 1000);
  }

  document.addEventListener("pointerdown", (event) => {
    const tile = event.target.closest(".tile[data-active]");
    if (!tile || event.button !== 0 || !tools()) return;
    event.preventDefault();
    const box = tile.querySelector("img").getBoundingClientRect();
    if (tool() in POINTS) {
      clicks.push((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      if (clicks.length === 2 * POINTS[tool()]) {
        tools().elements.clicked.value = clicks.map((each) => each.toFixed(5)).join(",");
        clicks = [];
        press(tool());
      }
      return;
    }
    const start = {};
    for (const name of FIELDS) start[name] = Number(tools().elements[name].value);
    drag = { tile, box, start, x: event.clientX, y: event.clientY, moved: false };
    tile.setPointerCapture(event.pointerId);
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const dx = (event.clientX - drag.x) / drag.box.width;
    const dy = (event.clientY - drag.y) / drag.box.height;
    drag.moved = drag.moved || Math.abs(dx) + Math.abs(dy) > 0.004;
    if (!drag.moved) return;
    if (tool() === "window") {
      set("window_width", Math.max(1, drag.start.window_width * (1 + 2 * dx)));
      set("window_center", drag.start.window_center + dy * drag.start.window_width);
    } else if (tool() === "zoom") {
      set("zoom", Math.min(100, Math.max(0.01, drag.start.zoom * 2 ** (-3 * dy))));
    } else {
      // The map from the image to the screen, turned round: how far the image moved under the pointer.
      const m = tools().dataset;
      const [ax, ay, bx, by] = [m.ax, m.ay, m.bx, m.by].map(Number);
      const size = ax * by - ay * bx;
      set("pan_x", drag.start.pan_x - (dx * by - dy * bx) / size);
      set("pan_y", drag.start.pan_y - (dy * ax - dx * ay) / size);
    }
    redraw(drag.tile);
  });

  document.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    if (done && done.moved) press("apply");
  });
  document.addEventListener("pointercancel", () => { drag = null; });
  document.addEventListener("change", (event) => { if (event.target.name === "tool") clicks = []; });
})();
