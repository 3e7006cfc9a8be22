"use strict";
// Search in the index of this page: every word must begin a word of an entry; the nearer to its title, the higher it stands.
(function () {
  const most = 60;
  const kinds = { page: "Page", part: "Part of a page", table: "Table", column: "Column" };
  const index = JSON.parse(document.getElementById("index").textContent);
  const field = document.querySelector("main input[type=search]");
  const found = document.getElementById("found");
  const results = document.getElementById("results");

  function wordsOf(text) {
    return text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  }
  const prepared = index.map(function (entry) {
    return { entry: entry, title: wordsOf(entry[1]), words: wordsOf(entry[2]) };
  });

  function score(candidate, asked) {
    let total = 0;
    for (const word of asked) {
      if (candidate.title.includes(word)) total += 4;
      else if (candidate.title.some((w) => w.startsWith(word))) total += 3;
      else if (candidate.words.some((w) => w.startsWith(word))) total += 1;
      else return 0;
    }
    return total + (candidate.entry[0] === "page" ? 2 : 0);
  }

  function line(entry) {
    const item = document.createElement("li");
    const title = document.createElement(entry[3] ? "a" : "strong");
    if (entry[3]) title.href = entry[3];
    title.textContent = entry[1];
    const kind = document.createElement("span");
    kind.className = "quiet";
    kind.textContent = " " + kinds[entry[0]];
    const words = document.createElement("p");
    words.textContent = entry[2];
    item.append(title, kind, words);
    return item;
  }

  function search() {
    const asked = wordsOf(field.value);
    const hits = asked.length
      ? prepared.map((c) => [score(c, asked), c.entry]).filter((hit) => hit[0]).sort((a, b) => b[0] - a[0])
      : [];
    results.replaceChildren(...hits.slice(0, most).map((hit) => line(hit[1])));
    const shown = hits.length > most ? ", the first " + most + " shown" : "";
    found.textContent = asked.length ? hits.length + (hits.length === 1 ? " result" : " results") + shown : "";
  }

  field.value = new URLSearchParams(location.search).get("q") || "";
  field.addEventListener("input", search);
  field.form.addEventListener("submit", function (event) {
    event.preventDefault();
    search();
  });
  search();
})();
