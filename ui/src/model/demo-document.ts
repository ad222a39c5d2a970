/** The workflow of the first-run page: two model calls side by side, a decision, and what comes of it. It needs no key. */

export const DEMO_SLUG = "hello-runwell";

export const DEMO_INPUT = { customer: "Ada", text: "I want a refund: the lamp arrived broken.", paid: 89 };

export const DEMO_DOCUMENT = {
  name: "Hello Runwell",
  description: "A ticket is sorted and answered, a person decides, and the answer is sent.",
  input_schema: {
    type: "object",
    required: ["customer", "text"],
    properties: { customer: { type: "string" }, text: { type: "string" }, paid: { type: "number" } },
  },
  steps: [
    {
      id: "classify",
      name: "Sort the ticket",
      type: "llm",
      model: "demo:paid",
      prompt: "Sort this ticket: {{ input.text }}",
      output_schema: { type: "object", required: ["kind"], properties: { kind: { enum: ["refund", "bug", "other"] } } },
    },
    {
      id: "answer",
      name: "Write the answer",
      type: "llm",
      model: "demo:slow",
      prompt: "Answer {{ input.customer }} kindly: {{ input.text }}",
      params: { max_tokens: 60 },
    },
    {
      id: "approve",
      name: "Ask a person",
      type: "approval",
      depends_on: ["classify", "answer"],
      join: "all",
      title: "Refund {{ input.customer }}?",
      description: "{{ input.text }}",
      payload: { amount: "{{ input.paid }}", kind: "{{ steps.classify.result.kind }}" },
    },
    {
      id: "send",
      name: "Send it",
      type: "transform",
      depends_on: ["approve"],
      value: {
        sent: "{{ steps.approve.result.approved }}",
        amount: "{{ default(steps.approve.result.amount, input.paid) }}",
        answer: "{{ steps.answer.result }}",
      },
    },
  ],
  output: "{{ steps.send.result }}",
};

export const OWN_DOCUMENT = `name: greet
input_schema: {type: object, required: [name]}
steps:
  - id: greeting
    type: llm
    model: demo:small
    prompt: "Greet {{ input.name }} in one sentence."
output: "{{ steps.greeting.result }}"
`;
