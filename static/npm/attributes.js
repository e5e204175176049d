// htmx looks for attributes `hx-on:...` at each element of a page, which takes long where there are ten thousand. Nothing of ours has one: what they say would be
// run as a script, which the policy of every page forbids.
const Evaluator = window.XPathEvaluator;
const none = { iterateNext: () => null };
window.XPathEvaluator = class {
  createExpression() { return { evaluate: () => none }; }
};
export const restore = () => { window.XPathEvaluator = Evaluator; };
