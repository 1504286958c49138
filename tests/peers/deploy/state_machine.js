// Checks the state machine of deploy/step-functions with a validator of its language, and its expressions with JSONata,
// over three pages of accounts.
//   node state_machine.js DEFINITION

const assert = require("assert");
const fs = require("fs");

let validate, jsonata;
try {
  validate = require("asl-validator");
  jsonata = require("jsonata");
} catch (error) {
  console.log(error.message.split("\n")[0]);
  process.exit(127);
}

const definition = JSON.parse(fs.readFileSync(process.argv[2]));
const { isValid, errors } = validate(definition);
assert(isValid, JSON.stringify(errors));

const { Begin, ListAccounts, More, EachAccount } = definition.States;
const { Apply } = EachAccount.ItemProcessor.States;

const PAGES = [
  { Accounts: [account(1), account(2, "SUSPENDED")], NextToken: "one" },
  { Accounts: [], NextToken: "two" },
  { Accounts: [account(3), { Id: "000000000004", Status: "ACTIVE" }, account(5)] },
];

function account(number, State = "ACTIVE") {
  return { Id: String(number).padStart(12, "0"), State };
}

// Returns the value with its expressions evaluated.
async function value(of, states, variables) {
  if (typeof of === "string") {
    const expression = /^\{%(.*)%\}$/s.exec(of);
    return expression ? await jsonata(expression[1]).evaluate({}, { states, ...variables }) : of;
  }
  if (of === null || typeof of !== "object") return of;
  const items = await Promise.all(Object.entries(of).map(async ([name, item]) => [name, await value(item, states, variables)]));
  return Array.isArray(of) ? items.map(([, item]) => item) : Object.fromEntries(items);
}

// Returns the accounts that are gone through, as plain data.
async function accounts(input) {
  let variables = await value(Begin.Assign, { input });
  for (const page of PAGES) {
    const states = { result: page };
    const asked = await value(ListAccounts.Arguments, states, variables);
    assert.deepStrictEqual({ ...asked }, page === PAGES[0] ? {} : { NextToken: PAGES[PAGES.indexOf(page) - 1].NextToken });
    const output = await value(ListAccounts.Output, states, variables);
    variables = { ...variables, ...(await value(ListAccounts.Assign, states, variables)) };
    const again = await value(More.Choices[0].Condition, { input: output }, variables);
    assert.strictEqual(again, page !== PAGES[2]);
  }
  return JSON.parse(JSON.stringify(await value(EachAccount.Items, {}, variables)));
}

async function main() {
  const ids = (...numbers) => numbers.map((number) => account(number).Id);
  assert.deepStrictEqual(await accounts({}), ids(1, 3, 4, 5));
  assert.deepStrictEqual(await accounts({ exclude: ids(3) }), ids(1, 4, 5));
  assert.deepStrictEqual(await accounts({ exclude: ids(1, 3, 4, 5) }), []);

  const input = await value(EachAccount.ItemSelector, { context: { Map: { Item: { Value: account(1).Id } } } });
  const { Payload } = await value(Apply.Arguments, { input });
  assert.deepStrictEqual(JSON.parse(JSON.stringify(Payload)), { apply: { account: account(1).Id } });
  const output = await value(Apply.Output, { input, result: { Payload: { summary: { users: 1 } } } });
  assert.deepStrictEqual(JSON.parse(JSON.stringify(output)), { account: account(1).Id, summary: { users: 1 } });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
