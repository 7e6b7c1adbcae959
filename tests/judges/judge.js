// Reads one JSON request a line, writes one JSON answer a line.
//   {"definition": {...}}        -> {"errors": [...]}: what asl-validator finds wrong with a state machine
//   {"expression": "1 + 1"}      -> {"result": 2} or {"error": "..."}: what the reference JSONata says
const readline = require('node:readline');
const aslValidator = require('asl-validator');
const jsonata = require('jsonata');

// Step Functions adds these to JSONata and takes $eval away (Developer Guide, "Transforming data with JSONata")
const parse = (text) => (text === undefined ? undefined : JSON.parse(text));

async function evaluate(source) {
  const expression = jsonata(source);
  expression.registerFunction('parse', parse, '<s-:x>');
  expression.registerFunction('eval', () => { throw new Error('$eval is not available'); });
  const result = await expression.evaluate(null);
  // an expression of a state that returns nothing is an error there
  if (result === undefined) throw new Error('the expression returned nothing (undefined)');
  return result;
}

function validate(definition) {
  const answer = aslValidator(definition);
  return answer.errors.map((error) => `${error['Error code']}: ${error.Message} ${error.path ?? ''}`.trim());
}

const lines = readline.createInterface({ input: process.stdin });
(async () => {
  for await (const line of lines) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = request.definition === undefined
        ? { result: await evaluate(request.expression) }
        : { errors: validate(request.definition) };
    } catch (error) {
      answer = { error: error.message ?? String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
})();
