// What pages of the panel do besides: the age of times, the key for the search, and whether what is shown is still so. Nothing needs it.
(() => {
  const line = document.getElementById('line');
  const find = document.getElementById('find');

  // "3 minutes ago" is so for a minute.
  const units = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  // Each takes a browser milliseconds, and the page came with the right words.
  let words, exact;
  const age = () => {
    words ??= new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'always' });
    for (const time of document.querySelectorAll('time[datetime]')) {
      const then = new Date(time.dateTime);
      const seconds = Math.max(0, Math.round((Date.now() - then) / 1000));
      const [size, unit] = units.find(([size]) => seconds >= size) ?? units[3];
      const said = words.format(-Math.floor(seconds / size), unit);
      // A page may have a thousand of them, and each that is written is laid out anew.
      if (time.textContent !== said) time.textContent = said;
    }
  };
  // The exact one, in the zone of whoever points at it.
  document.addEventListener('pointerover', ({ target }) => {
    const time = target.closest?.('time[datetime]');
    if (!time) return;
    exact ??= new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
    time.title = exact.format(new Date(time.dateTime));
  });
  setInterval(age, 20_000);

  if (find) {
    document.addEventListener('keydown', (event) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      find.focus();
      find.select();
    });
  }
  // A menu is left by a key or a click elsewhere.
  const close = (kept) => document.querySelectorAll('details.menu[open], details.more[open]').forEach((menu) => { if (!menu.contains(kept)) menu.open = false; });
  document.addEventListener('click', (event) => close(event.target));
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && document.querySelector('details.menu[open], details.more[open]');
    if (menu) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  });

  // The stream of what changes, where the page has one.
  const stream = document.getElementById('stream');
  if (!stream || !window.htmx) return;
  const template = stream.cloneNode(true);
  const say = (text, lost) => { line.textContent = text; line.classList.toggle('lost', lost); };
  document.body.addEventListener('htmx:sseOpen', () => say('', false));
  document.body.addEventListener('htmx:sseError', async () => {
    if (document.hidden) return;
    say(line.dataset.lost, true);
    // Whoever is signed out meanwhile would try in vain.
    const me = await fetch('/api/v1/auth/me', { headers: { accept: 'application/json' } }).catch(() => null);
    if (me?.status === 401) location.reload();
  });
  // Where somebody is with the keyboard they stay, though what they are on is made anew.
  let focused = '';
  document.body.addEventListener('htmx:oobBeforeSwap', ({ target }) => {
    const at = document.activeElement;
    if (at?.id && target.contains(at)) focused = at.id;
  });
  document.body.addEventListener('htmx:oobAfterSwap', () => {
    const lost = focused && document.activeElement === document.body && document.getElementById(focused);
    focused = '';
    if (lost) lost.focus({ preventScroll: true });
  });
  // A tab that nobody sees asks for nothing; what it has missed comes when it is looked at again.
  let later;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(later);
    const now = document.getElementById('stream');
    if (document.hidden) {
      later = setTimeout(() => { if (now) htmx.remove(now); }, 5_000);
    } else if (!now) {
      const anew = template.cloneNode(true);
      document.body.append(anew);
      htmx.process(anew);
    }
  });
})();
