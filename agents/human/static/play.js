'use strict';
// Everything from a data set becomes text: nodes are made, and no text is read as HTML.
const $ = id => document.getElementById(id);
let state = { version: -1, results: [] }, shown = 0, box = null, frames = new Set(), busy = false;

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'act') made.addEventListener('click', value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
const view_of = n => state.views.find(each => each.n === n);
const address = n => `view/${state.episode}/${n}.png`;

// ---- the picture and the box on it: fractions of the view, whatever size it has on the screen
function show(n) {
  if (!view_of(n)) return;
  if (n !== shown) box = null;
  shown = n;
  draw();
}
function draw() {
  const { w, h } = view_of(shown), scale = Math.max(1, Math.floor(560 / Math.max(w, h)));
  const stage = $('stage');
  stage.className = w < 300 && h < 300 ? 'small' : '';
  Object.assign(stage.style, { aspectRatio: `${w} / ${h}`, width: `min(100%, ${w * scale}px, ${(75 * w / h).toFixed(3)}vh)` });
  if (!stage.firstChild || stage.firstChild.getAttribute('src') !== address(shown)) {
    stage.replaceChildren(el('img', { src: address(shown), alt: `image ${shown}`, draggable: 'false' }));
  }
  stage.querySelectorAll('i').forEach(each => each.remove());
  if (box) {
    const made = el('i'), [x1, y1, x2, y2] = box;
    Object.assign(made.style, { left: `${100 * x1}%`, top: `${100 * y1}%`, width: `${100 * (x2 - x1)}%`, height: `${100 * (y2 - y1)}%` });
    stage.append(made);
  }
  $('shown').textContent = `image ${shown}, ${w} × ${h}${box ? `, box ${box.map(each => each.toFixed(3)).join(', ')}` : ''}`;
  $('zoom').disabled = !box || busy;
  $('select').hidden = !state.n_frames;
  $('select').disabled = !frames.size || busy;
  $('strip').hidden = state.views.length < 2;
  $('strip').replaceChildren(...state.views.map(({ n }) => {
    const made = el('div', {}, el('button', { type: 'button', class: `${n === shown ? 'shown ' : ''}${frames.has(n) ? 'taken' : ''}`,
      act: () => show(n) }, el('img', { src: address(n), alt: '', loading: 'lazy' }), `${n}`));
    if (n <= state.n_frames) {
      const pick = el('input', { type: 'checkbox', 'aria-label': `choose frame ${n}`,
        act: () => { frames[frames.has(n) ? 'delete' : 'add'](n); draw(); } });
      pick.checked = frames.has(n);
      made.append(pick);
    }
    return made;
  }));
}
const within = share => Math.min(1, Math.max(0, share));
function at(event) {
  const seen = $('stage').getBoundingClientRect();
  return [within((event.clientX - seen.left) / seen.width), within((event.clientY - seen.top) / seen.height)];
}
let from = null;
$('stage').addEventListener('pointerdown', event => {
  from = at(event);
  box = null;
  $('stage').setPointerCapture(event.pointerId);
});
$('stage').addEventListener('pointermove', event => {
  if (!from) return;
  const [x, y] = at(event);
  box = [Math.min(x, from[0]), Math.min(y, from[1]), Math.max(x, from[0]), Math.max(y, from[1])];
  draw();
});
addEventListener('pointerup', () => {
  from = null;
  if (box && (box[2] - box[0] < 0.004 || box[3] - box[1] < 0.004)) box = null;
  if (!$('game').hidden) draw();
});
function move(dx, dy, grows) {
  const [x1, y1, x2, y2] = box || [0.25, 0.25, 0.75, 0.75];
  if (!box) box = [x1, y1, x2, y2];
  else if (grows) box = [x1, y1, within(Math.max(x1 + 0.02, x2 + dx)), within(Math.max(y1 + 0.02, y2 + dy))];
  else {
    const sx = Math.min(1 - x2, Math.max(-x1, dx)), sy = Math.min(1 - y2, Math.max(-y1, dy));
    box = [x1 + sx, y1 + sy, x2 + sx, y2 + sy];
  }
  draw();
}

// ---- actions
async function give(operation, values) {
  if (busy) return;
  busy = true;
  draw();
  const body = JSON.stringify({ episode: state.episode, turn: state.turn, operation, thought: $('thought').value, ...values });
  const reply = await fetch('act', { method: 'POST', body }).catch(() => null);
  busy = false;
  if (reply && reply.ok) { $('thought').value = ''; return; }
  $('feedback').textContent = reply ? await reply.text() : 'the server is gone';
  draw();
}
const zoom = () => box && give('zoom_in', { bbox: box, target_image: shown });
const select = () => frames.size && give('select_frames', { frames: [...frames].sort((a, b) => a - b) });
const answer = text => give('answer', { text });
$('zoom').addEventListener('click', zoom);
$('select').addEventListener('click', select);
$('form').addEventListener('submit', event => {
  event.preventDefault();
  if ($('answer').value) answer($('answer').value);
});
addEventListener('keydown', event => {
  if ($('game').hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches('input:not([type=checkbox]), textarea')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const steps = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] };
  if (event.key in steps) move(...steps[event.key], event.shiftKey);
  else if (/^[1-9]$/.test(event.key)) show(Number(event.key));
  else if (event.key === 'z' || (event.key === 'Enter' && event.target === $('stage'))) zoom();
  else if (event.key === 'f') select();
  else if (event.key === '/') $('answer').focus();
  else return;
  event.preventDefault();
});

// ---- news
let seen = {};  // the turn on the screen: between two turns nothing is asked for a moment
function took(news) {
  const asks = news.episode !== undefined;
  const is_new = asks && news.episode !== seen.episode, turned = asks && (is_new || news.turn !== seen.turn);
  state = asks || news.over ? news : { ...seen, ...news };
  if (asks) seen = news;
  const right = state.results.filter(each => each.correct).length, last = state.results.at(-1);
  $('tally').textContent = state.results.length ? `${right} right of ${state.results.length}`
    + (state.n_episodes ? `, ${state.n_episodes} in all` : '') : '';
  $('game').hidden = state.episode === undefined;
  $('wait').hidden = !$('game').hidden;
  $('wait').textContent = state.over ? 'That was the last question. You can close this page.' : 'waiting for a question';
  if ($('game').hidden) { $('left').textContent = ''; return; }
  $('left').textContent = `${state.turns_left} turn${state.turns_left === 1 ? '' : 's'} left`;
  if (is_new) {
    $('question').textContent = state.question;
    $('choices').replaceChildren(...state.choices.map((each, i) => {
      const letter = String.fromCharCode(65 + i);
      return el('button', { type: 'button', act: () => answer(letter) }, `${letter}: ${each}`);
    }));
    $('answer').value = '';
  }
  if (turned) {
    box = null;
    frames = new Set();
    shown = is_new ? 1 : state.first_new ?? shown;
  }
  const graded = last && `The last answer was ${last.correct ? 'right' : 'wrong'}, score ${last.score}.`;
  $('feedback').textContent = state.turn === 0 ? graded || '' : state.feedback;
  if (turned) draw();
}
async function follow() {
  while (!state.over) {
    const reply = await fetch(`state/${state.version}`).catch(() => null);
    if (!reply || !reply.ok) {
      $('game').hidden = true;
      $('wait').hidden = false;
      $('wait').textContent = 'The server is gone.';
      return;
    }
    const news = await reply.json();
    if (news.version > state.version) took(news);
  }
}
follow();
