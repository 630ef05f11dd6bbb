'use strict';
// Everything from a model or a data set becomes text: nodes are made, and no text is read as HTML.
const index = JSON.parse(document.getElementById('index').textContent);
const rows = index.episodes, sources = index.sources;
const $ = id => document.getElementById(id);
const main = $('main');

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (name === 'style') Object.assign(made.style, value);
    else if (name === 'class') made.className = value;
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.flat(Infinity).filter(each => each !== undefined && each !== null && each !== ''));
  return made;
}

// ---- data: episodes come in files beside the page, when they are needed
const details = new Map(), waiting = new Map();
function loaded(chunk, list) {
  list.forEach((each, i) => details.set(chunk * index.chunk + i, each));
}
(index.all || []).forEach((each, i) => details.set(i, each));
function detail(i) {
  if (details.has(i)) return Promise.resolve(details.get(i));
  const chunk = Math.floor(i / index.chunk);
  if (!waiting.has(chunk)) {
    waiting.set(chunk, new Promise((done, failed) => {
      document.head.append(el('script', { src: `${index.data}/${chunk}.js`, on: { load: done,
        error: () => { waiting.delete(chunk); failed(new Error(`${index.data}/${chunk}.js is missing`)); } } }));
    }));
  }
  return waiting.get(chunk).then(() => details.get(i));
}
const everything = () => Promise.all(rows.map((_, i) => detail(i)));

// ---- what rows have in common
const keys = new Map(rows.map((row, i) => [row.key, i]));
rows.forEach((row, i) => {  // links of older reports name an index and a repeat
  const old = `episode-${row.index}-${row.repeat}`;
  for (const name of [`${old}@${sources[row.source].name}`, old]) if (!keys.has(name)) keys.set(name, i);
});
const groups = new Map();
rows.forEach((row, i) => {
  const group = JSON.stringify([sources[row.source].env_id || '', row.sample]);
  row.group = group;
  groups.set(group, [...(groups.get(group) || []), i]);
});
for (const members of groups.values()) {
  const seen = new Map();
  members.forEach(i => seen.set(rows[i].source, [...(seen.get(rows[i].source) || []), rows[i].correct]));
  const all = [...seen.values()].flat();
  const flipped = seen.size > 1 && all.includes(true) && all.includes(false);
  members.forEach(i => { rows[i].flipped = flipped; });
}
const saw = row => row.coverage !== null && row.coverage !== undefined && row.coverage >= index.seen_share;
const knows = row => row.coverage !== null && row.coverage !== undefined;
const CHIPS = {
  'right': row => row.correct === true,
  'wrong': row => row.correct === false,
  'no answer': row => row.correct === null && !row.left_out && !row.broken,
  'looked': row => row.n_calls > 0,
  'not looked': row => !(row.n_calls > 0),
  'never saw it': row => knows(row) && !saw(row),
  'saw it, wrong': row => saw(row) && row.correct === false,
  'refused calls': row => row.n_operation_errors > 0,
  'left out': row => Boolean(row.left_out || row.broken),
  'differs between folders': row => row.flipped,
};
const SORTS = {
  'in order': null,
  'score, low first': row => row.score ?? -1,
  'coverage, low first': row => row.coverage ?? 2,
  'most calls': row => -(row.n_calls || 0),
  'most tokens': row => -(row.tokens || 0),
  'most reward': row => -(row.reward ?? -1e9),
  'by sample': row => row.group,
};

// ---- filters
let shown = [], at = -1;
const option = (value, text) => el('option', { value }, text);
$('source').append(option('', 'all folders'), ...sources.map((each, i) => option(i, each.name)));
$('source').hidden = sources.length < 2;
const categories = [...new Set(rows.map(row => row.category).filter(Boolean))].sort();
$('category').append(option('', 'all categories'), ...categories.map(each => option(each, each)));
$('category').hidden = categories.length < 2;
$('sort').append(...Object.keys(SORTS).map(each => option(each, each)));
const chips = Object.keys(CHIPS).filter(name => rows.some(CHIPS[name])).map(name => {
  const box = el('input', { type: 'checkbox', value: name }), count = el('span');
  $('chips').append(el('label', {}, box, `${name} `, count));
  return { name, box, count };
});
const searched = i => {
  const row = rows[i], more = details.get(i);
  const turns = more && more.turns ? more.turns.flatMap(turn => [turn.message, turn.reasoning, turn.feedback]) : [];
  return [row.question, row.gold, row.answer, row.sample, row.category, ...turns].join('\n').toLowerCase();
};
function choose() {
  const wanted = chips.filter(each => each.box.checked).map(each => CHIPS[each.name]);
  const text = $('text').value.toLowerCase(), { value: from } = $('source'), { value: category } = $('category');
  shown = rows.map((_, i) => i).filter(i => wanted.every(holds => holds(rows[i]))
    && (from === '' || rows[i].source === Number(from)) && (!category || rows[i].category === category)
    && (!text || searched(i).includes(text)));
  const key = SORTS[$('sort').value];
  if (key) {
    const by = new Map(shown.map(i => [i, key(rows[i])]));
    shown.sort((a, b) => (by.get(a) < by.get(b) ? -1 : by.get(a) > by.get(b) ? 1 : a - b));
  }
  chips.forEach(each => { each.count.textContent = shown.filter(i => CHIPS[each.name](rows[i])).length; });
  $('count').textContent = `${shown.length} of ${rows.length} episodes`;
}
function refilter() {
  choose();
  if (place().kind === 'list') list();
}
let hasAll = rows.every((_, i) => details.has(i));
$('filters').addEventListener('input', event => {
  refilter();
  if (event.target.id === 'text' && event.target.value.length > 1 && !hasAll) {
    everything().then(() => { hasAll = true; refilter(); }, () => {});
  }
});
$('filters').addEventListener('submit', event => event.preventDefault());

// ---- pictures: boxes are placed by shares of the picture's own sides
const address = name => (index.inlined ? index.inlined[name] || ''
  : index.pictures + name.split('/').map(encodeURIComponent).join('/'));
const percent = share => `${100 * share}%`;
function frame(box, kind, label, act) {
  const [x1, y1, x2, y2] = box;
  const made = el('i', { class: kind, on: act ? { click: act } : undefined,
    style: { left: percent(x1), top: percent(y1), width: percent(x2 - x1), height: percent(y2 - y1) } });
  if (label !== undefined) made.append(el('b', {}, String(label)));
  return made;
}
function pic(picture, frames, most) {
  const { w, h } = picture, scale = Math.max(1, Math.floor(most / Math.max(w, h)));
  const style = { aspectRatio: `${w} / ${h}` };
  if (most) style.width = `min(100%, ${w * scale}px, ${(85 * w / h).toFixed(3)}vh)`;
  return el('div', { class: w < 300 && h < 300 ? 'pic small' : 'pic', style },
    el('img', { src: address(picture.name), alt: '', loading: 'lazy', decoding: 'async', width: w, height: h }), frames || []);
}
const shows = (view, source) => source !== null && view.source === source;
function evidence_on(view, more) {  // in fractions of the view, which may be a part of its source
  const [x1, y1, x2, y2] = view.box, clip = share => Math.min(1, Math.max(0, share));
  return more.gold.evidence.filter(each => shows(view, each.source)).map(({ box }) => [
    clip((box[0] - x1) / (x2 - x1)), clip((box[1] - y1) / (y2 - y1)),
    clip((box[2] - x1) / (x2 - x1)), clip((box[3] - y1) / (y2 - y1))])
    .filter(box => box[2] > box[0] && box[3] > box[1]);
}

// ---- the list
const BATCH = 60;
const mark = row => el('span', { class: `mark ${row.correct === true ? 'right' : row.correct === false ? 'wrong' : ''}` },
  row.correct === true ? '✓' : row.correct === false ? '✗' : '–');
const short = value => (value === null || value === undefined ? '–' : String(Number(value.toPrecision(3))));
function verdict(row) {
  if (row.broken) return `can't be shown: ${row.broken}`;
  if (row.left_out) return `left out: ${row.left_out}`;
  if (row.correct === null) return row.truncated ? 'out of turns, no answer' : 'no answer';
  const how = !knows(row) ? '' : saw(row) ? 'saw it, ' : row.n_calls ? 'never saw it, ' : 'did not look, ';
  return `${how}answered ${row.correct ? 'right' : 'wrong'}`;
}
function line(i) {
  const row = rows[i];
  const facts = [`score ${short(row.score)}`, row.n_calls === 1 ? '1 call' : `${row.n_calls || 0} calls`,
    row.n_operation_errors ? `${row.n_operation_errors} refused` : '',
    knows(row) ? `coverage ${Math.round(100 * row.coverage)}%` : '', row.tokens ? `${row.tokens} tokens` : ''];
  return el('a', { class: 'row', href: `#${encodeURIComponent(row.key)}`, 'data-i': i },
    row.picture ? pic(row.picture, (row.boxes || []).map(each => frame(each.box, '', each.turn))) : el('span'),
    mark(row),
    el('div', {}, el('p', {}, row.question), el('p', { class: 'quiet' },
      [row.sample + (row.repeat ? ` (repeat ${row.repeat})` : ''), row.category,
        sources.length > 1 ? sources[row.source].name : ''].filter(Boolean).join(' · ')),
    el('p', {}, row.gold ? `gold ${row.gold} · ` : '', `answer ${row.answer === '' ? '(empty)' : row.answer ?? 'none'}`)),
    el('div', { class: 'facts quiet' }, el('p', { class: row.correct === false ? 'wrong' : '' }, verdict(row)),
      el('p', {}, facts.filter(Boolean).join(' · '))));
}
let more_rows = null;
function list() {
  const holder = el('div'), end = el('p', { class: 'quiet' });
  let drawn = 0;
  more_rows = upto => {
    while (drawn < shown.length && drawn <= upto) {
      holder.append(...shown.slice(drawn, drawn + BATCH).map(line));
      drawn += BATCH;
    }
    end.textContent = drawn < shown.length ? 'more below' : '';
  };
  more_rows(0);
  if (!shown.length) holder.append(el('p', { class: 'nothing' }, 'Nothing matches these filters.'));
  main.replaceChildren(holder, end);
  new IntersectionObserver(seen => { if (seen.some(each => each.isIntersecting)) more_rows(drawn); },
    { rootMargin: '1500px' }).observe(end);
}
function select(position) {
  at = Math.max(0, Math.min(shown.length - 1, position));
  more_rows(at);
  const found = main.querySelector(`[data-i="${shown[at]}"]`);
  if (found) found.focus();
}

// ---- an episode
const PARTS = new RegExp(['(?<thought><think>[^]*?(?:</think>|$))',
  '(?<call><(tool_call|grounding)>[^]*?(?:</\\3>|$))',
  '(?<answer><answer>[^]*?(?:</answer>|$)|\\\\boxed\\{[^{}]*(?:\\{[^{}]*\\}[^{}]*)*\\})'].join('|'), 'g');
function parts_of(message) {
  const found = [];
  let end = 0;
  for (const match of message.matchAll(PARTS)) {
    found.push(message.slice(end, match.index));
    const kind = ['thought', 'call', 'answer'].find(name => match.groups[name] !== undefined);
    found.push(el('span', { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  return [...found, message.slice(end)];
}
const tokens_of = pairs => pairs.map(([text, logprob]) => el('span', { class: 'token',
  title: `p = ${Math.exp(logprob).toPrecision(3)}`,
  style: { background: `rgba(224, 0, 127, ${(0.6 * (1 - Math.exp(Math.min(0, logprob)))).toFixed(3)})` } }, text));
const terms_of = terms => Object.entries(terms).filter(([, value]) => value)
  .map(([name, value]) => `${name} ${value > 0 ? '+' : ''}${short(value)}`).join(', ');

function why(row, more) {
  const said = [verdict(row)];
  if (knows(row)) {
    said.push(saw(row)
      ? `the best view holds ${Math.round(100 * row.coverage)}% of the evidence, ${short(more.magnification)} times as large as the overview`
      : `the best view of an operation holds ${Math.round(100 * row.coverage)}% of the evidence`);
  }
  if (row.correct === false && row.answer !== null && more.parsed === null) said.push('the grader could not read the answer');
  if (row.n_operation_errors) said.push(`${row.n_operation_errors} calls were refused`);
  const kind = row.correct === true ? 'right' : row.correct === false ? 'wrong' : '';
  return el('p', { class: `why ${kind}` }, el('b', { class: kind }, said[0]), said.length > 1 ? `: ${said.slice(1).join('; ')}` : '', '.');
}
function facts(row, more) {
  const known = [['gold', more.gold && more.gold.text], ['answer', row.answer], ['read as', more.parsed],
    ['score', row.score], ['reward', terms_of(more.terms || {}) || row.reward], ['advantage', row.advantage],
    ['RaPR of the group', row.rapr], ['bonus', row.curiosity_bonus], ['IoU', more.iou], ['tokens', row.tokens],
    ['seconds', row.seconds], ['sample', row.sample], ['folder', sources[row.source].name], ['seed', more.seed]];
  return el('dl', {}, known.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => [el('dt', {}, name), el('dd', {}, typeof value === 'number' ? short(value) : value)]));
}
function choices_of(more) {
  if (!more.choices || !more.choices.length) return null;
  const gold = more.gold && more.gold.text;
  return el('ol', { class: 'choices', type: 'A' }, more.choices.map((each, i) =>
    el('li', { class: gold === `${String.fromCharCode(65 + i)}: ${each}` ? 'gold' : '' }, each)));
}
function card(i, here) {
  const row = rows[i];
  return el('a', { class: `card${i === here ? ' here' : ''}`, href: `#${encodeURIComponent(row.key)}` },
    row.picture ? pic(row.picture, (row.boxes || []).map(each => frame(each.box, '', each.turn))) : null,
    el('p', {}, mark(row), ` ${row.answer ?? 'no answer'}`),
    el('p', { class: 'quiet' }, [sources.length > 1 ? sources[row.source].name : `rollout ${row.repeat || ''}`,
      `${row.n_calls || 0} calls`, row.reward !== null && row.reward !== undefined ? `reward ${short(row.reward)}` : '',
      row.curiosity_bonus !== undefined ? `bonus ${short(row.curiosity_bonus)}` : '',
      row.rapr !== undefined ? `RaPR ${short(row.rapr)}` : '',
      row.advantage !== undefined ? `advantage ${short(row.advantage)}` : ''].filter(Boolean).join(' · ')));
}
function same_sample(i) {
  const members = groups.get(rows[i].group);
  if (members.length < 2) return null;
  const title = rows[i].flipped ? 'The same sample, answered right and wrong' : 'The same sample';
  return el('section', { class: 'head' }, el('h2', {}, `${title}: ${members.length} episodes`),
    el('div', { class: 'cards' }, members.slice(0, 64).map(each => card(each, i))));
}

let open_ = null;  // what the episode on the screen can be asked to do
function stage_of(more, choose_turn) {
  const firsts = more.views.filter(view => view.root === view.n && !view.frame);
  const taken = new Set(more.views.filter(view => view.frame).map(view => view.frame));
  more.regions.forEach(each => taken.add(each.view));
  const stand_in = more.gold.picture && { n: 0, picture: more.gold.picture, source: more.gold.source, box: [0, 0, 1, 1] };
  const holder = el('div'), strip = el('div', { class: 'strip' });
  let shown_n = more.regions.length ? more.regions[0].view : taken.size ? [...taken][0] : firsts.length ? firsts[0].n : 0;
  let chosen_turn = 0;
  const has = view => evidence_on(view, more).length > 0;
  const of = n => more.views.find(view => view.n === n) || (n === 0 ? stand_in : null);
  function draw() {
    const view = of(shown_n), asked = $('evidence').checked;
    const frames = view ? more.regions.filter(each => each.view === view.n).map(each => frame(each.box,
      each.turn === chosen_turn ? 'chosen' : '', each.turn, () => choose_turn(each.turn))) : [];
    if (view && asked) frames.push(...evidence_on(view, more).map(box => frame(box, 'ev')));
    holder.replaceChildren(...(view ? [pic(view.picture, frames, 640), el('p', { class: 'quiet' },
      view.n ? `image ${view.n}, ${view.picture.w} × ${view.picture.h}` : `frame ${view.source}, which holds the evidence and was never shown`)] : []));
    const all = asked && stand_in ? [...firsts, stand_in] : firsts;
    strip.hidden = all.length < 2;
    strip.replaceChildren(...all.map(each => el('button', { type: 'button',
      class: `${taken.has(each.n) ? 'taken ' : ''}${each.n === shown_n ? 'shown ' : ''}${asked && has(each) ? 'ev' : ''}`,
      on: { click: () => { shown_n = each.n; draw(); } } },
    pic(each.picture), each.n ? `${each.n}${taken.has(each.n) ? ' ✓' : ''}` : 'evidence')));
  }
  draw();
  return { node: el('div', { class: 'stage' }, holder, strip), draw,
    show(turn) {
      chosen_turn = turn;
      const region = more.regions.find(each => each.turn === turn);
      const view = more.views.find(each => each.turn === turn);
      if (region) shown_n = region.view; else if (view && view.frame) shown_n = view.frame;
      draw();
    } };
}
function turn_of(turn, number, more, choose_turn) {
  const message = el('pre', { class: 'message' });
  const write = shaded => message.replaceChildren(...(shaded ? tokens_of(turn.logprobs)
    : turn.action ? [el('span', { class: turn.operation === 'answer' ? 'answer' : 'call' }, turn.action)] : parts_of(turn.message || '')));
  write(false);
  const shade = turn.logprobs ? el('label', { class: 'quiet' }, el('input', { type: 'checkbox',
    on: { change: event => write(event.target.checked) } }), ' probabilities of tokens') : null;
  const views = el('div'), mine = more.views.filter(view => view.turn === number);
  const draw = () => {
    const asked = $('evidence').checked;
    views.className = mine.length > 2 ? 'views many' : 'views';
    views.replaceChildren(...mine.map(view => el('figure', {}, pic(view.picture,
      asked ? evidence_on(view, more).map(box => frame(box, 'ev')) : [], mine.length > 2 ? 220 : 480),
    el('figcaption', {}, `image ${view.n}${view.frame ? `, frame ${view.frame}` : ''}, ${view.picture.w} × ${view.picture.h}`))));
  };
  draw();
  const paid = terms_of(turn.terms || {});
  return { draw, node: el('section', { class: 'turn', id: `turn-${number}` },
    el('h2', {}, el('button', { type: 'button', on: { click: () => choose_turn(number) } },
      `${number}${turn.operation ? `: ${turn.operation}` : ''}`)),
    turn.reasoning ? el('pre', {}, el('span', { class: 'thought' }, turn.reasoning)) : null, message, shade,
    turn.feedback ? el('p', { class: turn.error ? 'refused' : 'quiet' }, turn.feedback) : null,
    paid ? el('p', { class: 'quiet' }, paid) : null, views) };
}
function draw_episode(i, more) {
  const row = rows[i];
  if (row.broken || !more.turns) {
    main.replaceChildren(el('h1', {}, row.question), el('p', { class: 'wrong' }, `This episode ${verdict(row)}`));
    return;
  }
  const choose_turn = number => {
    stage.show(number);
    main.querySelectorAll('.turn').forEach(each => each.classList.toggle('chosen', each.id === `turn-${number}`));
    const found = $(`turn-${number}`);
    if (found) found.scrollIntoView({ block: 'start' });
  };
  const stage = stage_of(more, choose_turn);
  const turns = more.turns.map((turn, n) => turn_of(turn, n + 1, more, choose_turn));
  main.replaceChildren(el('article', { class: 'episode' },
    el('div', { class: 'head' }, el('h1', {}, more.question), choices_of(more), why(row, more)),
    stage.node, el('div', {}, turns.map(each => each.node), facts(row, more),
      el('details', {}, el('summary', {}, 'the raw record'), el('pre', {}, more.raw))), same_sample(i)));
  open_ = { draw: () => { stage.draw(); turns.forEach(each => each.draw()); } };
}

// ---- trainings
const SVG = 'http://www.w3.org/2000/svg';
function svg(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}
function plot(curve, name) {
  const values = curve.series[name], known = values.filter(value => value !== null);
  const low = Math.min(0, ...known), high = Math.max(...known, low + 1e-9), last = Math.max(1, ...curve.steps);
  const x = step => 40 + 550 * step / last, y = value => 150 - 130 * (value - low) / (high - low);
  const drawn = svg('svg', { viewBox: '0 0 600 170', role: 'img', 'aria-label': `${name} by iteration` });
  (curve.series.learning_trap || []).forEach((value, i) => {
    if (value) drawn.append(svg('line', { class: 'trap', x1: x(curve.steps[i]), x2: x(curve.steps[i]), y1: 10, y2: 150 }));
  });
  let piece = [];
  const put = () => { if (piece.length) drawn.append(svg('polyline', { points: piece.join(' ') })); piece = []; };
  values.forEach((value, i) => (value === null ? put() : piece.push(`${x(curve.steps[i])},${y(value)}`)));
  put();
  sources.forEach(source => {
    if (source.iteration === null || !(curve.name === '.' || source.name.startsWith(`${curve.name}/`))) return;
    const near = curve.steps.findIndex(step => step >= source.iteration);
    const link = svg('a', { href: `#/folder/${encodeURIComponent(source.name)}` });
    link.append(svg('title', {}, `rollouts of iteration ${source.iteration}`), svg('circle', { class: 'dot', r: 5,
      cx: x(source.iteration), cy: near < 0 || values[near] === null ? 150 : y(values[near]) }));
    drawn.append(link);
  });
  drawn.append(svg('text', { x: 2, y: 24 }, short(high)), svg('text', { x: 2, y: 150 }, short(low)),
    svg('text', { x: 560, y: 166 }, String(last)));
  return el('figure', {}, el('figcaption', {}, name), drawn);
}
function training() {
  main.replaceChildren(...index.curves.map(curve => {
    const traps = curve.steps.filter((_, i) => (curve.series.learning_trap || [])[i]);
    return el('section', {}, el('h1', {}, curve.name === '.' ? index.title : curve.name),
      traps.length ? el('p', { class: 'warning' }, `Learning trap: the policy had stopped zooming (RaPR or the bonus stayed at 0) at iteration ${traps.join(', ')}.`) : null,
      el('p', { class: 'quiet' }, 'A dot is an iteration with recorded rollouts; it opens them.'),
      el('div', { class: 'plots' }, Object.keys(curve.series).filter(name => name !== 'learning_trap').map(name => plot(curve, name))));
  }));
}

// ---- where we are
function place() {
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch (fault) { /* a link with a stray percent sign */ }
  if (keys.has(name)) return { kind: 'episode', i: keys.get(name) };
  if (name === '/training') return { kind: 'training' };
  const folder = name.startsWith('/folder/') ? sources.findIndex(each => each.name === name.slice(8)) : -1;
  if (folder >= 0) return { kind: 'folder', i: folder };
  return { kind: name ? 'unknown' : 'list', name };
}
let last_seen = null;
function go() {
  const here = place();
  open_ = null;
  $('filters').hidden = here.kind !== 'list';
  $('bar').hidden = here.kind !== 'episode';
  if (here.kind === 'folder') {
    $('source').value = here.i;
    choose();
    location.replace('#');
  } else if (here.kind === 'training') training();
  else if (here.kind === 'episode') {
    last_seen = here.i;
    scrollTo(0, 0);
    main.replaceChildren(el('p', { class: 'quiet' }, 'loading'));
    detail(here.i).then(more => { if (place().i === here.i) draw_episode(here.i, more); },
      fault => main.replaceChildren(el('p', { class: 'wrong' }, fault.message)));
  } else {
    list();
    if (here.kind === 'unknown') main.prepend(el('p', { class: 'warning' }, `There is no episode ${here.name}.`));
    else if (last_seen !== null && shown.includes(last_seen)) select(shown.indexOf(last_seen));
  }
}
function step(by) {
  const here = place();
  if (here.kind !== 'episode') return select(at + by);
  const next = shown[shown.indexOf(here.i) + by];
  if (next !== undefined) location.hash = encodeURIComponent(rows[next].key);
}
addEventListener('hashchange', go);
$('previous').addEventListener('click', () => step(-1));
$('next').addEventListener('click', () => step(1));
$('evidence').addEventListener('change', () => open_ && open_.draw());
$('help').addEventListener('click', () => $('keys').showModal());
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches('input[type=search], select, dialog *');
  if (typing) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const back = () => { if (place().kind !== 'list') location.hash = ''; };
  const acts = { j: () => step(1), k: () => step(-1), u: back, Escape: back,
    '/': () => { if (place().kind !== 'list') { location.hash = ''; go(); } $('text').focus(); },
    e: () => { $('evidence').checked = !$('evidence').checked; if (open_) open_.draw(); },
    '?': () => $('keys').showModal() };
  if (Object.hasOwn(acts, event.key)) { event.preventDefault(); acts[event.key](); }
});
new ResizeObserver(() => document.documentElement.style.setProperty('--header',
  `${document.querySelector('header').offsetHeight}px`)).observe(document.querySelector('header'));
$('training').hidden = !index.curves.length;
choose();
go();
