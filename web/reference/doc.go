// Package reference renders the API's contract, an OpenAPI document in YAML, as one page for people: what each
// operation takes and answers, with examples, and a form to try it. The page keeps the order of the document. It can be
// read without scripts. LivePage does the same for the contract of live rooms, an AsyncAPI document.
package reference
