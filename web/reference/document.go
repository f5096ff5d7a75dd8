package reference

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is an OpenAPI document. It is read as a tree, since maps would lose the order in which it was written.
type document struct {
	root         node
	problemsPage string          // where the codes of problems are explained, each at a fragment of its name
	problems     map[string]bool // the codes
}

// problemSchema is the schema of the codes of problems. Its x-problems explains each code.
const problemSchema = "ProblemCode"

func parse(contract []byte, problemsPage string) (document, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(contract, &root); err != nil {
		return document{}, fmt.Errorf("reference: %w", err)
	}
	if len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return document{}, fmt.Errorf("reference: no OpenAPI document")
	}
	replaceAliases(root.Content[0])
	d := document{root: node{root.Content[0]}, problemsPage: problemsPage, problems: map[string]bool{}}
	for _, f := range d.root.get("components").get("schemas").get(problemSchema).get("x-problems").fields() {
		d.problems[f.name] = true
	}
	return d, nil
}

// replaceAliases replaces each alias (*name) by its anchor. An anchor stands before its aliases, so that there are no
// cycles.
func replaceAliases(n *yaml.Node) {
	for i, part := range n.Content {
		if part.Kind == yaml.AliasNode {
			n.Content[i] = part.Alias
			continue
		}
		replaceAliases(part)
	}
}

// node is a part of the document, or nothing.
type node struct{ *yaml.Node }

// field is one of the fields of an object.
type field struct {
	name  string
	value node
}

// get returns the field of that name, or nothing.
func (n node) get(name string) node {
	for _, f := range n.fields() {
		if f.name == name {
			return f.value
		}
	}
	return node{}
}

func (n node) fields() []field {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	fields := make([]field, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		fields = append(fields, field{n.Content[i].Value, node{n.Content[i+1]}})
	}
	return fields
}

func (n node) items() []node {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	items := make([]node, len(n.Content))
	for i, item := range n.Content {
		items[i] = node{item}
	}
	return items
}

func (n node) exists() bool { return n.Node != nil }

// text returns the value of a scalar, or nothing.
func (n node) text() string {
	if n.Node == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func (n node) isTrue() bool { return n.text() == "true" }

// has reports whether a list has the text.
func (n node) has(text string) bool {
	for _, item := range n.items() {
		if item.text() == text {
			return true
		}
	}
	return false
}

// resolve follows references. name is the name of the last target.
func (d document) resolve(n node) (target node, name string) {
	for range 10 {
		ref := n.get("$ref").text()
		if ref == "" {
			return n, name
		}
		at := d.root
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at, name = at.get(part), part
		}
		n = at
	}
	return n, name
}
