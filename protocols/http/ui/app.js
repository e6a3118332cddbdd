// The page: signs in, shows the view that the address names, signs out.

import { actor } from "./actor.js";
import { call, get, Problem } from "./api.js";
import { fleet } from "./fleet.js";
import { poll, signedOut } from "./live.js";
import { rollout } from "./rollout.js";
import { rollouts } from "./rollouts.js";
import { tree } from "./tree.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const who = document.getElementById("who");
let stops = [];
/** Whether who has signed in may steer. */
let maySteer = false;
let stopLetters = () => undefined;

function leave() {
  for (const stop of stops) stop();
  stops = [];
}

function view() {
  leave();
  const [, name = "", argument = ""] = location.hash.split("/");
  if (name === "tree") stops = tree(main);
  else if (name === "actor") stops = actor(main, decoded(argument));
  else if (name === "rollouts") stops = rollouts(main);
  else if (name === "rollout") stops = rollout(main, decoded(argument), maySteer);
  else stops = fleet(main);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function begin() {
  try {
    const { name, role } = await get("/v1/session");
    document.getElementById("name").textContent = `${name} (${role})`;
    maySteer = role !== "viewer";
    document.getElementById("rollouts").hidden = !(await hasRollouts());
    nav.hidden = who.hidden = false;
    addEventListener("hashchange", view);
    stopLetters();
    // Their numbers count from the node's start, and a node that starts anew knows no session: so this begins anew too.
    let count = 0;
    stopLetters = poll(
      () => `/v1/dead-letters?limit=1000&after=${count}`,
      5_000,
      ({ items }) => {
        count = items.at(-1)?.number ?? count;
        document.getElementById("letters").value = String(count);
      },
    );
    view();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) signIn();
    else setTimeout(begin, 2_000);
  }
}

/** A vehicle's node has none. */
async function hasRollouts() {
  try {
    await get("/v1/rollouts?limit=1");
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return false;
    throw error;
  }
}

function signIn() {
  leave();
  stopLetters();
  removeEventListener("hashchange", view);
  nav.hidden = who.hidden = true;
  main.replaceChildren(document.getElementById("sign-in").content.cloneNode(true));
  const form = main.querySelector("form");
  const token = form.querySelector("input");
  form.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    try {
      await call("POST", "/v1/session", { token: token.value.trim() });
      await begin();
    } catch (error) {
      form.querySelector(".problem").textContent = error instanceof Problem ? `${error.body.detail} ${error.body.advice}` : "The node does not answer.";
      token.select();
    }
  });
  token.focus();
}

document.getElementById("out").addEventListener("click", async () => {
  await call("DELETE", "/v1/session").catch(() => undefined);
  signIn();
});
signedOut.act = signIn;
void begin();
