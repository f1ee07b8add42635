// Sorts a table by a click on its head, and finds learners: in this page by hiding rows, in others by their range.
for (const table of document.querySelectorAll("table.everybody")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.onclick = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = row => {
        const text = (row.cells[column] ?? row.cells[0]).textContent.trim(), number = parseFloat(text);
        return column && !isNaN(number) ? number : column ? -1 : text;
      };
      const order = (a, b) => typeof a === "number" ? a - b : a.localeCompare(b, undefined, {numeric: true});
      const rows = [...body.rows].map(row => [key(row), row]).sort((a, b) => (up ? 1 : -1) * order(a[0], b[0]));
      body.append(...rows.map(pair => pair[1]));
    };
  });
}
const search = document.querySelector(".search");
if (search) {
  const field = search.querySelector("input"), said = search.querySelector("output");
  const rows = [...document.querySelectorAll("table.everybody")].pop().tBodies[0].rows;
  const pages = [...document.querySelectorAll(".parts a[data-first]")];
  search.hidden = false;
  field.oninput = () => {
    const wanted = field.value.trim().toLowerCase();
    let found = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
      found += !row.hidden;
    }
    said.replaceChildren(wanted ? `${found} here` : "");
    const place = pages.find(page => page.dataset.first <= field.value && field.value <= page.dataset.last + "\uffff");
    if (wanted && !found && place) {
      const link = place.cloneNode(true);
      link.hash = "q=" + encodeURIComponent(field.value);
      said.append(", look in ", link);
    }
  };
  const asked = location.hash.match(/^#q=(.*)/);
  if (asked) {
    field.value = decodeURIComponent(asked[1]);
    field.oninput();
  }
}
