"""The style sheet of a page of trajectories, and its few lines of script."""

STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 0 1rem 3rem; }
header { position: sticky; top: 0; background: Canvas; border-bottom: 1px solid #8886; z-index: 2; }
h1 { font-size: 1.15rem; margin: .7rem 0 .3rem; }
header p { margin: .3rem 0 .5rem; opacity: .7; }
form { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: center; }
input[type=search] { flex: 1; min-width: 10rem; font: inherit; padding: .15rem .4rem; }
details { border-bottom: 1px solid #8884; padding: .35rem 0; }
details[hidden] { display: none; }
summary { cursor: pointer; }
summary small { opacity: .65; margin-left: .6rem; }
.right > summary > b { color: #1a9850; }
.wrong > summary > b { color: #d73027; }
section { display: grid; grid-template-columns: 2rem 1fr; margin: .6rem 0; }
section > * { grid-column: 2; margin: .2rem 0; }
h2 { grid-column: 1; grid-row: 1; font-size: .95rem; opacity: .6; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8882; padding: .5rem .7rem;
  border-radius: .4rem; font-size: .85rem; }
.reasoning { font-style: italic; opacity: .75; }
.feedback { opacity: .75; }
.refused { color: #d73027; }
.terms { font-size: .85rem; opacity: .75; }
figure { display: inline-block; margin: .4rem .6rem .4rem 0; vertical-align: top; }
/* the container is as wide as the picture, on which boxes are placed by shares of its sides: so no
   width here is a share of the container's */
figure > div { position: relative; display: inline-block; }
figcaption { font-size: .8rem; opacity: .65; }
img { display: block; height: auto; max-width: min(34rem, 100vw - 6rem);
  min-width: 11rem; image-rendering: pixelated; }
figure i { position: absolute; border: 2px solid #ffb000; box-shadow: 0 0 0 1px #000;
  box-sizing: border-box; }
figure i b { position: absolute; left: 0; top: 0; background: #ffb000; color: #000;
  font: bold .7rem/1 system-ui; padding: .1rem .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 2rem; }
dt { opacity: .65; } dd { margin: 0; overflow-wrap: anywhere; }
"""

SCRIPT = """
const form = document.querySelector('form'), episodes = [...document.querySelectorAll('details')];
const texts = episodes.map(each => each.textContent.toLowerCase());
function choose() {
  const wanted = [...form.querySelectorAll(':checked')].map(each => each.value);
  const sought = form.querySelector('[type=search]').value.toLowerCase();
  let shown = 0;
  episodes.forEach((each, i) => {
    each.hidden = !wanted.every(name => each.classList.contains(name))
      || !texts[i].includes(sought);
    shown += !each.hidden;
  });
  document.querySelector('output').textContent = shown;
}
form.addEventListener('input', choose);
form.addEventListener('submit', event => event.preventDefault());
function open_linked() {
  const linked = document.getElementById(location.hash.slice(1));
  if (linked && linked.tagName === 'DETAILS') { linked.open = true; linked.scrollIntoView(); }
}
window.addEventListener('hashchange', open_linked);
choose();
open_linked();
"""
