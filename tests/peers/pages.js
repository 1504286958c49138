#!/usr/bin/env node
// Checks every page with axe at WCAG 2.2 AA, in both colour schemes, printed, and in a window of 320 px, and makes a
// credential by keyboard alone. Playwright drives Chromium. With SCREENSHOTS=FOLDER each view is saved as a picture.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { env, exit } = require("node:process");

const CHROMIUM = "/usr/bin/chromium";
let chromium, axe, nodemailer;
try {
  ({ chromium } = require("playwright-core"));
  axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  nodemailer = require("nodemailer");
} catch {
  console.log("playwright-core or axe-core is not installed");
  exit(127);
}
if (!existsSync(CHROMIUM)) {
  console.log("Chromium is not installed");
  exit(127);
}

const WCAG = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
const CONTRAST = { type: "rule", values: ["color-contrast"] };
const WIDE = { width: 1200, height: 900 };
const NARROW = { width: 320, height: 640 };
// the area of A4 between Chromium's margins
const PAPER = { width: 718, height: 1000 };

const faults = [];
let looks = 0;

async function main() {
  await fill();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-quic"] });
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error}`));
  await page.goto(env.CONSOLE);
  const kinds = await crawl(page);
  for (const kind of ["/credentials/app", "/mailbox/ID/html", "/mailbox/ID/parts", "/mailbox/attempts/N", "/mailbox/delete"])
    if (!kinds.has(kind)) faults.push(`no link leads to ${kind}`);
  await byKeyboard(page);
  for (const path of ["/nothing", "/?region=eu-west-1", "/jobs/1", "/mailbox?query=no:filter", "/mailbox?query=nothing"])
    await visit(page, path);
  await reviews(page);
  const stranger = await browser.newPage({ viewport: WIDE, reducedMotion: "reduce" });
  for (const path of ["/mailbox", "/credentials/app"]) await visit(stranger, path, " for a stranger");
  console.log(`version Chromium ${browser.version()}`);
  await browser.close();
  console.log(`${looks} pages`);
  assert.deepEqual(faults, []);
}

// Makes users, messages of every kind, and one that is refused.
async function fill() {
  const app = JSON.parse(execFileSync(env.SESKEY, ["create", "app", "--from", "*@example.com", "--json"]));
  execFileSync(env.SESKEY, ["create", "shop", "--json"]);
  const transport = nodemailer.createTransport({
    host: "127.0.0.1",
    port: env.STARTTLS_PORT,
    requireTLS: true,
    tls: { ca: readFileSync(env.SESKEY_CA_FILE), servername: "localhost" },
    auth: { user: app.smtp_user_name, pass: app.smtp_password },
  });
  const mail = { from: "ann@example.com", to: "bob@example.org", text: "Your code is 123456: https://example.com/login" };
  await transport.sendMail({ ...mail, subject: "A text" });
  await transport.sendMail({
    ...mail,
    to: ["bob@example.org", "eve@example.org"],
    subject: "A picture, and a name that is longer than a narrow window is wide: ".repeat(3),
    html: '<h1>Hi</h1><p><a href="https://example.com/">A link</a> <img src="cid:logo" alt="logo"></p>',
    headers: { "X-Long": "x".repeat(300) },
    attachments: [
      { filename: "logo.png", cid: "logo", content: Buffer.from("iVBORw0KGgo=", "base64") },
      { filename: `${"long".repeat(40)}.txt`, content: "a text" },
    ],
  });
  await assert.rejects(transport.sendMail({ ...mail, from: "eve@elsewhere.example", subject: "Refused" }), /554/);
}

// Looks at all pages that links lead to, and at only one of the pages that differ by an ID alone.
async function crawl(page) {
  const kinds = new Set();
  const queue = ["/"];
  while (queue.length) {
    const path = queue.shift();
    const kind = path.replace(/[0-9a-f-]{16,}/g, "ID").replace(/\d+/g, "N");
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    await visit(page, path);
    // files are not pages
    const links = await page.$$eval("a[href^='/']:not([href*='/parts/'], [href$='.eml'])", (all) => all.map((a) => a.href));
    for (const link of links.map((href) => new URL(href))) queue.push(link.pathname + link.search);
  }
  return kinds;
}

async function visit(page, path, who = "") {
  await page.goto(new URL(path, env.AWS_ENDPOINT_URL).href);
  await steady(page, `${path}${who}`);
  await look(page, `${path}${who}`);
  await page.setViewportSize(NARROW);
  await page.reload();
  await steady(page, `${path}${who}, narrow`);
  await page.setViewportSize(WIDE);
}

// Checks that nothing moves while a page loads. On a busy machine the window gets its width late, so a page that moves
// is loaded again.
async function steady(page, name) {
  let moved = await movement(page);
  for (let again = 0; moved > 0 && again < 3; again++) {
    await page.reload();
    moved = await movement(page);
  }
  if (moved > 0) faults.push(`${name}: moves by ${moved} while it loads`);
}

function movement(page) {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)));
        observer.observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(sum), 100);
      }),
  );
}

async function look(page, name) {
  looks += 1;
  await page.evaluate(axe);
  const views = [
    ["light", WIDE, { colorScheme: "light" }, WCAG],
    ["dark", WIDE, { colorScheme: "dark" }, CONTRAST],
    ["print", PAPER, { colorScheme: "dark", media: "print" }, CONTRAST],
    ["narrow", NARROW, { colorScheme: "light" }, null],
  ];
  for (const [view, size, media, rules] of views) {
    await page.setViewportSize(size);
    await page.emulateMedia({ media: "screen", ...media });
    if (rules) await judge(page, `${name}, ${view}`, rules);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) faults.push(`${name}, ${view}: ${over} px wider than the window`);
    if (env.SCREENSHOTS) {
      const file = `${name}-${view}`.replace(/[^a-z0-9]+/gi, "-").replace(/^-/, "");
      await page.screenshot({ path: `${env.SCREENSHOTS}/${file}.png`, fullPage: true });
    }
  }
  await page.emulateMedia({ media: null, colorScheme: null });
  await page.setViewportSize(WIDE);
}

async function judge(page, name, rules) {
  // the look of a message is its author's
  const options = { runOnly: rules, iframes: false, resultTypes: ["violations"] };
  const { violations } = await page.evaluate((given) => window.axe.run({ exclude: ["iframe"] }, given), options);
  for (const { id, nodes } of violations)
    for (const { html, failureSummary } of nodes) faults.push(`${name}: ${id}: ${html} ${failureSummary}`);
}

// Makes a credential and shows it, with Tab, letters and Enter.
async function byKeyboard(page) {
  await page.goto(env.AWS_ENDPOINT_URL);
  await tabTo(page, "Credentials");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/credentials");
  await tabTo(page, "Create SMTP credentials");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/credentials/new");
  await tabTo(page, "User name");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("two words");
  await tabTo(page, "Review what will be made");
  await page.keyboard.press("Enter");
  await page.getByText("There is a problem").waitFor();
  await look(page, "a problem");
  await tabTo(page, "User name");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("keyboard");
  await tabTo(page, "Review what will be made");
  await page.keyboard.press("Enter");
  await page.getByText("Nothing has been changed yet").waitFor();
  await look(page, "the review");
  await tabTo(page, "Create");
  await page.keyboard.press("Enter");
  await page.getByText("Done.").waitFor({ timeout: 60000 });
  await look(page, "the job");
  await tabTo(page, "Show the password");
  await page.keyboard.press("Enter");
  await page.locator("#smtp-password").waitFor();
  await look(page, "the credential");
}

// Presses Tab until the element with this name has the focus, which must be visible.
async function tabTo(page, name) {
  for (let count = 0; count < 100; count += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const it = document.activeElement;
      const label = it.labels?.[0]?.innerText ?? it.innerText ?? "";
      const style = getComputedStyle(it);
      return { label: label.trim(), isSeen: style.outlineStyle !== "none" || style.boxShadow !== "none" };
    });
    if (focused.label.startsWith(name)) {
      if (!focused.isSeen) faults.push(`${name}: its focus is not seen`);
      return;
    }
  }
  throw new Error(`${name} is not reached by Tab at ${page.url()}`);
}

// Looks at the review of each action.
async function reviews(page) {
  for (const button of ["Review the rotation", "Review what is undone", "Review the revocation", "Review the migration", "Review what is deleted"]) {
    await page.goto(new URL("/credentials/app", env.AWS_ENDPOINT_URL).href);
    await page.getByLabel("Stores", { exact: true }).fill("file:app.env");
    await page.getByRole("button", { name: button }).click();
    await page.waitForURL("**/credentials/app/*");
    await look(page, button);
  }
}

main().catch((error) => {
  console.error(error);
  exit(1);
});
