"use strict";
// Makes the tables of a page sortable and lets them be saved. Without it everything on the page can still be read.
(function () {
  function valueOf(cell) {
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  }

  function numberOf(text) {
    const number = Number.parseFloat(text.replace(/,/g, ""));
    return Number.isNaN(number) ? null : number;
  }

  // Nothing and hidden go last, whichever way round.
  function order(column, isNumber, direction) {
    return function (one, other) {
      const texts = [one, other].map((row) => valueOf(row.cells[column]));
      const keys = isNumber ? texts.map(numberOf) : texts.map((text) => text || null);
      if (keys[0] === null || keys[1] === null) return (keys[0] === null) - (keys[1] === null);
      const difference = isNumber ? keys[0] - keys[1] : keys[0].localeCompare(keys[1], "en-GB", { numeric: true });
      return direction * difference;
    };
  }

  function sort(table, header, column) {
    const isUp = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).sort(order(column, header.classList.contains("number"), isUp ? 1 : -1));
    body.append(...rows);
  }

  function makeSortable(table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (header, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      button.addEventListener("click", () => sort(table, header, column));
      header.replaceChildren(button);
    });
  }

  // A spreadsheet would take text that begins like this for a formula.
  function field(text, isNumber) {
    const safe = !isNumber && /^[=+\-@\t]/.test(text) ? "'" + text : text;
    return /[",\n\r]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }

  function asCsv(table) {
    const headers = Array.from(table.tHead.rows[0].cells);
    const isNumber = headers.map((header) => header.classList.contains("number"));
    const lines = [headers.map((header) => field(header.textContent.trim(), false))];
    for (const row of table.tBodies[0].rows) {
      lines.push(
        Array.from(row.cells, function (cell, i) {
          const text = valueOf(cell);
          return field(isNumber[i] ? text.replace(/,/g, "") : text, isNumber[i]);
        })
      );
    }
    return "\ufeff" + lines.map((line) => line.join(",") + "\r\n").join("");
  }

  function save(table, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([asCsv(table)], { type: "text/csv" }));
    link.download = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function makeSavable(table) {
    const name = table.caption.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "save";
    const what = document.createElement("span");
    what.className = "hidden";
    what.textContent = ": " + name;
    button.append("Save as CSV", what);
    button.addEventListener("click", () => save(table, document.title.split(" – ")[0] + " " + name));
    table.closest(".scroll").after(button);
  }

  // Only what is wider than the page needs to be reached by keyboard to be scrolled.
  function mindScrolling() {
    for (const region of document.querySelectorAll(".scroll")) {
      if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  }

  // One menu is open at a time; Escape closes it.
  function mindMenus() {
    const menus = Array.from(document.querySelectorAll("nav details"));
    document.addEventListener("click", function (event) {
      for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
    });
    for (const menu of menus) {
      menu.addEventListener("keydown", function (event) {
        if (event.key !== "Escape" || !menu.open) return;
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
  }

  for (const table of document.querySelectorAll("table")) {
    if (!table.caption) continue; // written in the text, not asked of the release
    if (table.tBodies[0].rows.length > 1) makeSortable(table);
    makeSavable(table);
  }
  mindMenus();
  mindScrolling();
  window.addEventListener("resize", mindScrolling);
  document.addEventListener("toggle", mindScrolling, true);
})();
