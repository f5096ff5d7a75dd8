import { el } from './dom.js';
import { showLobby } from './lobby.js';
import { type ShownRoom, showRoom } from './room.js';
import { api, onSignedOut } from './session.js';
import { signIn } from './signin.js';

const main = document.querySelector('main')!;
const account = document.querySelector('#account')!;
let shown: ShownRoom | undefined;
/** Counts the pages that were requested: results for an earlier page are not shown. */
let turn = 0;

/** Shows the page of the address. */
async function show(): Promise<void> {
  const mine = ++turn;
  shown?.leave();
  shown = undefined;
  document.title = 'WatchParty';
  if (!(await api.isSignedIn())) {
    account.replaceChildren();
    await signIn(main);
    if (mine !== turn) return;
  }
  void showAccount();
  const roomID = new URLSearchParams(location.search).get('room');
  if (!roomID) return showLobby(main, enter);
  const room = await showRoom(main, roomID, exit);
  if (mine === turn) shown = room;
  else room?.leave();
}

async function showAccount(): Promise<void> {
  const { data } = await api.GET('/users/me');
  account.replaceChildren(
    el('span', { class: 'line' }, data.data.display_name),
    el('button', { type: 'button', class: 'plain', onclick: () => void api.signOut().catch(() =>
      undefined).then(show) }, 'Sign out'),
  );
}

function enter(roomID: string): void {
  history.pushState(null, '', `?room=${encodeURIComponent(roomID)}`);
  void show();
}

function exit(): void {
  history.pushState(null, '', location.pathname);
  void show();
}

document.querySelector('#home')?.addEventListener('click', (event) => {
  event.preventDefault();
  exit();
});
addEventListener('popstate', () => void show());
onSignedOut(() => void show());
void show();
