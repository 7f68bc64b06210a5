// A card with the meaning of a word of the glossary: at the pointer and at the keyboard's focus; Escape closes it.
(function () {
  "use strict";
  const script = document.currentScript, LINKS = "a.glossary-term, a:has(> .std-term)";
  let card = null, wanted = null;

  function load() {
    if (window.glossaryTerms) return show();
    const data = document.createElement("script");
    data.src = new URL("glossary-terms.js", script.src).href;
    data.onload = show;
    document.head.append(data);
  }

  function show() {
    const meaning = wanted && window.glossaryTerms[decodeURIComponent(wanted.hash.slice(1))];
    hide();
    if (!meaning) return;
    card = document.createElement("div");
    card.className = "glossary-card";
    card.id = "glossary-card";
    card.setAttribute("role", "tooltip");
    const name = document.createElement("strong");
    name.textContent = meaning[0];
    card.append(name, " " + meaning[1]);
    document.body.append(card);
    wanted.setAttribute("aria-describedby", card.id);
    const place = wanted.getBoundingClientRect(), below = place.bottom + card.offsetHeight + 8 < innerHeight;
    card.style.left = Math.max(8, Math.min(place.left, document.documentElement.clientWidth - card.offsetWidth - 8)) + "px";
    card.style.top = (below ? place.bottom + 4 : place.top - card.offsetHeight - 4) + "px";
  }

  function hide() {
    if (card) card.remove();
    for (const link of document.querySelectorAll("[aria-describedby=glossary-card]")) link.removeAttribute("aria-describedby");
    card = null;
  }

  function open(event) {
    const link = event.target.closest && event.target.closest(LINKS);
    if (link) { wanted = link; load(); }
  }

  function close(event) {
    const inside = event.relatedTarget && event.relatedTarget.closest && event.relatedTarget.closest(".glossary-card");
    if (!inside) { wanted = null; hide(); }
  }

  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, open);
  for (const name of ["mouseout", "focusout"]) document.addEventListener(name, close);
  document.addEventListener("scroll", () => { if (card) show(); }, { passive: true });  // the card goes with its word
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { wanted = null; hide(); } });
  // On paper everything that is folded is open.
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) { one.open = true; one.dataset.folded = ""; }
  });
  addEventListener("afterprint", () => {
    for (const one of document.querySelectorAll("details[data-folded]")) { one.open = false; delete one.dataset.folded; }
  });
})();
