// What pages of the panel do besides: the age of times, the key for the search, and whether what is shown is still so. Nothing needs it.
(() => {
  const line = document.getElementById('line');
  const find = document.getElementById('find');

  // "3 minutes ago" is so for a minute.
  const units = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'always' });
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  const age = () => {
    for (const time of document.querySelectorAll('time[datetime]')) {
      const then = new Date(time.dateTime);
      const seconds = Math.max(0, Math.round((Date.now() - then) / 1000));
      const [size, unit] = units.find(([size]) => seconds >= size) ?? units[3];
      time.textContent = words.format(-Math.floor(seconds / size), unit);
      time.title = exact.format(then);
    }
  };
  age();
  setInterval(age, 20_000);

  if (find) {
    document.querySelector('.find kbd').hidden = false;
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

  // A log goes on. Lines come faster than they are drawn: what came in between is drawn at once, and the oldest lines go.
  const log = document.getElementById('log');
  if (log) {
    const MOST = 5_000;
    const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|[ -/]?.)|[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
    let waiting = [];
    let first = true;
    const draw = () => {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      const lines = document.createDocumentFragment();
      for (const line of waiting.slice(-MOST)) {
        const one = document.createElement('span');
        one.textContent = `${line.text.replace(escapes, '')}\n`;
        if (line.stream === 'stderr') one.className = 'err';
        lines.append(one);
      }
      if (first && log.querySelector('.soft')) log.replaceChildren();
      first = false;
      waiting = [];
      log.append(lines);
      while (log.childElementCount > MOST) log.firstElementChild.remove();
      if (atEnd) log.scrollTop = log.scrollHeight;
    };
    let source;
    let later;
    let last = log.dataset.last;
    // A container that ends ends its log; it is gone on with from the last line, whenever there is more.
    const follow = () => {
      source = new EventSource(`${log.dataset.stream}&tail=${MOST}&since=${encodeURIComponent(last)}`);
      source.onerror = () => {
        source.close();
        clearTimeout(later);
        if (!document.hidden) later = setTimeout(follow, 1_000);
      };
      source.addEventListener('line', (event) => {
        const line = JSON.parse(event.data);
        if (line.at && last && line.at <= last) return;
        last = line.at ?? last;
        waiting.push(line);
        if (waiting.length === 1) requestAnimationFrame(draw);
        if (waiting.length > 2 * MOST) waiting = waiting.slice(-MOST);
      });
    };
    log.scrollTop = log.scrollHeight;
    follow();
    document.addEventListener('visibilitychange', () => {
      source.close();
      clearTimeout(later);
      if (!document.hidden) follow();
    });
  }

  // The stream of what changes, where the page has one.
  const stream = document.getElementById('stream');
  if (!stream || !window.htmx) return;
  const template = stream.cloneNode(true);
  const say = (text, lost) => { line.textContent = text; line.classList.toggle('lost', lost); };
  document.body.addEventListener('htmx:sseOpen', () => say('', false));
  document.body.addEventListener('htmx:sseError', async () => {
    if (document.hidden) return;
    say('Connection lost, trying again', true);
    // Whoever is signed out meanwhile would try in vain.
    const me = await fetch('/api/v1/auth/me', { headers: { accept: 'application/json' } }).catch(() => null);
    if (me?.status === 401) location.reload();
  });
  document.body.addEventListener('htmx:oobAfterSwap', age);
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
