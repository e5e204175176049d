// A log goes on while it is looked at, is searched, and stops when it is told to. Lines come faster than they are read: what came in between is drawn at once, and the oldest lines go.
(() => {
  const log = document.getElementById('log');
  if (!log || !log.dataset.stream) return;
  const by = (id) => document.getElementById(id);
  const tools = by('log-tools');
  const most = Number(log.dataset.most);
  // Drawn in one frame: more would keep the page from answering.
  const FRAME = 200;
  // After what a frame took to be drawn, so many times as long is left to the page and to who reads it.
  const REST = 3;
  // Who is so many milliseconds behind goes to the end.
  const LATE = 1_000;
  let waiting = [];
  let drawing = false;
  let paused = false;
  let skipped = 0;
  // When all that had come was drawn.
  let caught = 0;
  let query = '';

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const fits = (element) => query && element.textContent.toLowerCase().includes(query);
  const note = (kind, text) => {
    const one = document.createElement('div');
    one.className = kind;
    one.textContent = text;
    return one;
  };
  const element = (line) => {
    if (line.note) return note(line.kind, line.note);
    const one = document.createElement('div');
    if (line.c) one.className = line.c;
    if (line.t) {
      const at = document.createElement('span');
      at.className = 'at';
      at.textContent = `${line.t.slice(0, 23).replace('T', ' ').replace('Z', '')} `;
      one.append(at);
    }
    for (const part of line.p) {
      if (typeof part === 'string') { one.append(part); continue; }
      const span = document.createElement('span');
      span.className = part[0];
      span.textContent = part[1];
      one.append(span);
    }
    return one;
  };
  const foot = (text) => { const at = by('log-foot'); if (at && at.textContent !== text) at.textContent = text; };

  const draw = () => {
    if (paused) return;
    const keep = performance.now() - caught > LATE ? FRAME : most;
    if (waiting.length > keep) {
      skipped += waiting.length - keep;
      waiting = waiting.slice(-keep);
    }
    if (skipped && waiting.length) {
      waiting.unshift({ kind: 'skip', note: log.dataset.skipped.replace('%n', skipped.toLocaleString()) });
      skipped = 0;
    }
    const now = waiting.splice(0, FRAME);
    if (!now.length) return;
    const follow = atEnd();
    log.querySelector('.nothing')?.remove();
    const lines = document.createDocumentFragment();
    for (const line of now) {
      const one = element(line);
      if (fits(one)) one.classList.add('hit');
      lines.append(one);
    }
    log.append(lines);
    let over = log.childElementCount - most;
    if (over > 0) {
      const range = document.createRange();
      range.setStartBefore(log.firstElementChild);
      range.setEndBefore(log.children[over]);
      range.deleteContents();
    }
    if (follow) log.scrollTop = log.scrollHeight;
    if (query) count();
    if (!waiting.length) caught = performance.now();
  };
  // What a frame costs is known once it is on the screen: a task that is asked for in it comes after that.
  const wake = () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      const began = performance.now();
      draw();
      setTimeout(() => setTimeout(() => {
        drawing = false;
        if (waiting.length && !paused) wake();
      }, REST * (performance.now() - began)));
    });
  };

  let source;
  let later;
  let wait = 1_000;
  let last = log.dataset.last;
  let of = log.dataset.stream;
  const follow = () => {
    source = new EventSource(`${of}${of.includes('?') ? '&' : '?'}since=${encodeURIComponent(last)}`);
    source.onopen = () => { wait = 1_000; foot(''); };
    source.onerror = () => {
      source.close();
      clearTimeout(later);
      if (document.hidden) return;
      foot(log.dataset.lost);
      later = setTimeout(follow, wait);
      wait = Math.min(wait * 2, 15_000);
    };
    source.addEventListener('lines', (event) => {
      const told = JSON.parse(event.data);
      skipped += told.skipped;
      if (!waiting.length) caught = performance.now();
      for (const line of told.lines) waiting.push(line);
      const end = told.lines.at(-1);
      if (end?.t) last = end.t;
      if (waiting.length > 2 * most) {
        skipped += waiting.length - most;
        waiting = waiting.slice(-most);
      }
      if (paused) foot(log.dataset.waits.replace('%n', waiting.length.toLocaleString())); else wake();
    });
    source.addEventListener('turn', (event) => {
      const told = JSON.parse(event.data);
      waiting.push({ kind: 'turn', note: log.dataset.turn.replace('%n', told.container) });
      of = of.replace(/([?&]id=)[^&]*/, `$1${encodeURIComponent(told.id)}`);
      // Of the new one nothing is known yet.
      last = '';
      wake();
    });
  };
  // With the frame that lays the page out: asked for before, it would be laid out twice.
  const toEnd = () => requestAnimationFrame(() => { log.scrollTop = log.scrollHeight; });
  toEnd();
  follow();
  document.addEventListener('visibilitychange', () => {
    source.close();
    clearTimeout(later);
    if (!document.hidden) follow();
  });
  if (!tools) return;

  // What is looked for: lines that have it are marked, and can be gone to one by one.
  let at = -1;
  const hits = () => [...log.querySelectorAll(':scope > .hit')].filter((one) => one.checkVisibility?.() ?? true);
  const count = (all = log.getElementsByClassName('hit').length) => {
    const said = !query ? '' : all ? log.dataset.hits.replace('%n', Math.max(0, at + 1).toLocaleString()).replace('%a', all.toLocaleString()) : log.dataset.none;
    if (by('log-hits').value !== said) by('log-hits').value = said;
  };
  const search = () => {
    query = by('log-q').value.trim().toLowerCase();
    at = -1;
    for (const one of log.children) {
      one.classList.toggle('hit', Boolean(fits(one)));
      one.classList.remove('this');
    }
    by('log-steps').hidden = !query;
    const all = hits();
    if (all.length) step(all.length - 1, all); else count(0);
  };
  const step = (to, all = hits()) => {
    log.querySelector('.this')?.classList.remove('this');
    if (!all.length) return count(0);
    at = (to + all.length) % all.length;
    all[at].classList.add('this');
    all[at].scrollIntoView({ block: 'center' });
    count(all.length);
  };
  const dress = () => {
    log.dataset.level = by('log-level').value;
    log.classList.toggle('times', by('log-times').checked);
    log.classList.toggle('nowrap', by('log-nowrap').checked);
  };
  const look = () => {
    const end = atEnd();
    dress();
    if (end) log.scrollTop = log.scrollHeight;
  };
  // Without a script the server has hidden what does not fit.
  for (const one of log.querySelectorAll(':scope > [hidden]')) one.hidden = false;
  by('log-go').hidden = true;
  dress();
  if (by('log-q').value) search(); else toEnd();
  let soon;
  by('log-q').addEventListener('input', () => { clearTimeout(soon); soon = setTimeout(search, 150); });
  by('log-q').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    step(at + (event.shiftKey ? -1 : 1));
  });
  by('log-before').addEventListener('click', () => step(at - 1));
  by('log-after').addEventListener('click', () => step(at + 1));
  for (const id of ['log-level', 'log-times', 'log-nowrap']) by(id).addEventListener('change', () => { look(); if (query) search(); });
  by('log-lines').addEventListener('change', () => tools.submit());
  const pause = by('log-pause');
  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? log.dataset.go : log.dataset.pause;
    if (!paused) { caught = performance.now(); foot(''); log.scrollTop = log.scrollHeight; wake(); }
  });
})();
