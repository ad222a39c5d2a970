"""Small workflow documents for tests of the command line."""

from typing import Final

SUM: Final = """
name: sum
input_schema: {type: object, required: [a, b], properties: {a: {type: integer}, b: {type: integer}}}
steps:
  - {id: add, type: transform, value: "{{ input.a + input.b }}"}
output: "{{ steps.add.result }}"
"""

FAILING: Final = """
name: failing
steps:
  - {id: first, type: transform, value: 1}
  - {id: broken, type: transform, depends_on: [first], value: "{{ input.list[7] }}"}
  - {id: after, type: transform, depends_on: [broken], value: 2}
"""

APPROVAL: Final = """
name: ask
steps:
  - {id: ok, type: approval, title: "Pay {{ input.amount }}?", payload: {amount: "{{ input.amount }}"}}
  - {id: pay, type: transform, depends_on: [ok], when: steps.ok.result.approved, value: "paid"}
output: {paid: "{{ steps.pay.status }}", decision: "{{ steps.ok.result }}"}
"""

MESSAGE: Final = """
name: listen
steps:
  - {id: note, type: wait, message: news}
output: "{{ steps.note.result }}"
"""

DELAY: Final = """
name: nap
steps:
  - {id: before, type: transform, value: 1}
  - {id: nap, type: delay, depends_on: [before], for_s: "{{ input.seconds }}"}
  - {id: after, type: transform, depends_on: [nap], value: "awake"}
output: "{{ steps.after.result }}"
"""

PARENT: Final = """
name: parent
steps:
  - {id: call, type: workflow, workflow: ./parts/child.yaml, input: {amount: 5}}
output: "{{ steps.call.result }}"
"""

GATED: Final = """
name: gated
steps:
  - {id: fetch, type: http, request: {url: "%s"}}
  - {id: after, type: transform, depends_on: [fetch], value: 1}
"""

TIMES_TWO: Final = """
name: child
steps:
  - {id: times, type: transform, value: "{{ input.amount * 2 }}"}
output: "{{ steps.times.result }}"
"""
