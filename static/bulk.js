// Services that are chosen stay chosen while their rows change, and how many they are is said.
(() => {
  const bar = document.getElementById('bulk');
  if (!bar) return;
  const chosen = new Set();
  const count = document.getElementById('bulk-count');
  const all = () => document.querySelectorAll('.choose');
  const say = () => { count.textContent = count.dataset.words.replace('%n', chosen.size.toLocaleString()); };
  const take = (one) => { if (one.checked) chosen.add(one.value); else chosen.delete(one.value); };
  // A browser keeps what was chosen before a reload.
  all().forEach(take);
  say();
  document.addEventListener('change', (event) => {
    if (!event.target.classList?.contains('choose')) return;
    take(event.target);
    say();
  });
  document.body.addEventListener('htmx:oobAfterSwap', () => {
    for (const one of all()) one.checked = chosen.has(one.value);
    const there = new Set([...all()].map((one) => one.value));
    for (const value of chosen) if (!there.has(value)) chosen.delete(value);
    say();
  });
  const none = document.getElementById('bulk-none');
  none.hidden = false;
  none.addEventListener('click', () => {
    chosen.clear();
    for (const one of all()) one.checked = false;
    say();
    document.getElementById('main').focus();
  });
})();
