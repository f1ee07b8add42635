/* Enlivens each walk that is not yet: a slider over its stops, which lights lines and blocks. Panels come escaped. */
document.querySelectorAll(".udock .walk:not(.live)").forEach((walk) => {
  const { stops, panels } = JSON.parse(walk.querySelector("script[type='application/json']").textContent);
  const part = (name) => walk.querySelector(name);
  const card = walk.closest(".udock");
  const blocks = [...card.querySelectorAll(".call[data-moment]")];
  const [slider, said, sources] = [part("input"), part("output"), [...walk.querySelectorAll(".source")]];
  const show = (number) => {
    const stop = stops[number];
    slider.value = number;
    slider.setAttribute("aria-valuetext", stop.says);
    said.textContent = `${number + 1} of ${stops.length} · ${stop.says}`;
    sources.forEach((source) => {
      const cell = Number(source.dataset.cell || 0);
      const inside = stop.at.filter(([, , where = 0]) => where === cell);
      const acts = (stop.cell || 0) === cell;
      if (cell) source.parentElement.hidden = !acts && !inside.length;
      [...source.children].forEach((line, at) => {
        const number = cell ? line.value : at + 1;
        const here = inside.filter(([, where]) => where === number).map(([who]) => who);
        line.classList.toggle("lit", acts && stop.line === number);
        line.querySelector("small").textContent = here.join(", ");
      });
    });
    part(".why").innerHTML = panels[stop.why];
    part(".lives").innerHTML = stop.lives.map((panel) => panels[panel]).join("");
    blocks.forEach((block) => block.classList.toggle("lit", block.dataset.moment === String(stop.moment)));
    part(".back").disabled = number === 0;
    part(".on").disabled = number === stops.length - 1;
  };
  const go = (by) => show(Math.min(stops.length - 1, Math.max(0, Number(slider.value) + by)));
  slider.max = stops.length - 1;
  slider.addEventListener("input", () => go(0));
  part(".back").addEventListener("click", () => go(-1));
  part(".on").addEventListener("click", () => go(1));
  blocks.forEach((block) => {
    const first = stops.findIndex((stop) => String(stop.moment) === block.dataset.moment);
    const chosen = () => first >= 0 && show(first);
    block.addEventListener("focus", chosen);
    block.addEventListener("click", chosen);
  });
  walk.classList.add("live");
  part(".stage").hidden = false;
  show(0);
});
