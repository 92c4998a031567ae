(() => {
  "use strict";
  const form = document.getElementById("filters");
  if (form) {
    const findings = [...document.querySelectorAll("[data-rule]")];
    const output = document.getElementById("filtered");
    const show = () => {
      const label = form.label.value;
      const rule = form.rule.value;
      const host = form.host.value.trim().toLowerCase();
      const has = (element) => element.dataset.hosts.toLowerCase().includes(host);
      let count = 0;
      for (const one of findings) {
        const wanted = (!label || one.dataset.label === label) && (!rule || one.dataset.rule === rule) && has(one);
        one.hidden = !wanted;
        count += wanted ? 1 : 0;
        if (wanted) {
          for (const place of one.querySelectorAll(".place[data-hosts]")) {
            place.hidden = !has(place);
          }
        }
      }
      const active = label || rule || host;
      for (const page of document.querySelectorAll("details.page")) {
        page.open = Boolean(active) && page.querySelector("[data-rule]:not([hidden])") !== null;
      }
      output.value = active ? `${count} of ${findings.length} shown` : `${findings.length} kinds of findings`;
    };
    form.hidden = false;
    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    show();
  }
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  for (const map of document.querySelectorAll(".map")) {
    const table = map.querySelector(".heat");
    const line = map.querySelector(".evidence");
    const cells = [...table.querySelectorAll("td[title]")];
    if (!cells.length) {
      continue;
    }
    const first = cells.find((cell) => cell.className !== "ok") || cells[0];
    const tell = (cell) => {
      line.textContent = cell.title;
    };
    line.hidden = false;
    line.textContent = "Point at a cell, or move over the map with the arrow keys, to see its evidence.";
    for (const cell of cells) {
      cell.tabIndex = cell === first ? 0 : -1;
    }
    table.addEventListener("mouseover", (event) => event.target.matches("td[title]") && tell(event.target));
    table.addEventListener("focusin", (event) => event.target.matches("td[title]") && tell(event.target));
    table.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || event.target.tagName !== "TD") {
        return;
      }
      event.preventDefault();
      let row = event.target.parentNode.rowIndex;
      let column = event.target.cellIndex;
      for (;;) {
        row += step[0];
        column += step[1];
        const next = row > 0 && column > 0 && table.rows[row] && table.rows[row].cells[column];
        if (!next) {
          return;
        }
        if (next.title) {
          event.target.tabIndex = -1;
          next.tabIndex = 0;
          next.focus();
          return;
        }
      }
    });
  }
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details.print:not([open])")) {
      details.open = true;
    }
  });
})();
