// Buttons that copy: [data-copy] names the element whose text it is. They stay hidden without this.
'use strict';
(() => {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll('[data-copy]')) {
    button.hidden = false;
    const word = button.textContent;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      button.textContent = `${word} ✓`;
      setTimeout(() => { button.textContent = word; }, 2_000);
    });
  }
})();
