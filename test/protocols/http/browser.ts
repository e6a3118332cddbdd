// The page in a real browser, for tests of what a person sees.

import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Test } from "tap";
import { systemClock } from "../../../runtime/index.ts";
import { program } from "../../needs.ts";

const executablePath = process.env["CHROMIUM"] ?? program("chromium", "chromium-browser", "google-chrome");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const hasBrowser = executablePath !== undefined && existsSync(executablePath);

export interface OpenedPage {
  readonly page: Page;
  /** What the browser had to complain about, its content policy included, but for answers that a test asks for and connections that it ends. */
  readonly complaints: readonly string[];
}

export async function openPage(t: Test): Promise<OpenedPage> {
  const browser: Browser = await chromium.launch({ executablePath: executablePath ?? "", args: FLAGS });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (401|404|409|422)|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/.test(message.text()))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { page, complaints };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** The page goes into the background, or is looked at again, as for a person who changes tabs: a browser without a screen shows all of its tabs, so that it is told so. */
export async function look(page: Page, isSeen: boolean): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, "hidden", { configurable: true, get: () => ${String(!isSeen)} }); document.dispatchEvent(new Event("visibilitychange"));`);
}

/** For what no locator can wait for. */
export async function eventually(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = systemClock.monotonic() + 10_000;
  while (!(await isSo())) {
    if (systemClock.monotonic() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** `DROVER_SCREENSHOTS=<folder>` keeps a picture of each view, for a person to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["DROVER_SCREENSHOTS"];
  if (folder === undefined) return;
  const path = `${folder}/${name}.png`;
  mkdirSync(dirname(path), { recursive: true });
  await page.screenshot({ path, fullPage: true });
}
