package reference

import (
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// example returns a JSON value that matches a schema: the schema's own example, or one that is made of its types. The
// example of a request has the required properties, or all of them if none is required.
func (d document) example(of node, request bool) string {
	var b strings.Builder
	d.writeExample(&b, of, request, nil)
	var indented strings.Builder
	writeIndented(&indented, b.String())
	return indented.String()
}

func (d document) writeExample(b *strings.Builder, of node, request bool, outer []string) {
	n, name := d.resolve(of)
	if given := n.get("example"); given.exists() {
		writeJSON(b, given)
		return
	}
	if name != "" && slices.Contains(outer, name) {
		b.WriteString("{}") // an object within itself
		return
	}
	outer = append(slices.Clip(outer), name)
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		if parts := n.get(key).items(); len(parts) > 0 && !n.get("properties").exists() {
			d.writeExample(b, parts[0], request, outer)
			return
		}
	}
	switch kind := typeKind(n); {
	case n.get("enum").exists():
		writeJSON(b, n.get("enum").items()[0])
	case kind == "array":
		b.WriteByte('[')
		d.writeExample(b, n.get("items"), request, outer)
		b.WriteByte(']')
	case kind == "object" || n.get("properties").exists():
		d.writeObject(b, n, request, outer)
	case kind == "integer" || kind == "number":
		b.WriteString(firstOf(n.get("default").text(), n.get("minimum").text(), "1"))
	case kind == "boolean":
		b.WriteString(firstOf(n.get("default").text(), "true"))
	default:
		writeString(b, exampleText(n))
	}
}

func (d document) writeObject(b *strings.Builder, n node, request bool, outer []string) {
	required := n.get("required")
	b.WriteByte('{')
	separator := ""
	write := func(name string, value node) {
		b.WriteString(separator)
		separator = ","
		writeString(b, name)
		b.WriteByte(':')
		d.writeExample(b, value, request, outer)
	}
	for _, f := range n.get("properties").fields() {
		if request && (f.value.get("readOnly").isTrue() || required.exists() && !required.has(f.name)) {
			continue
		}
		write(f.name, f.value)
	}
	if more := n.get("additionalProperties"); separator == "" && len(more.fields()) > 0 {
		write("name", more)
	}
	b.WriteByte('}')
}

func typeKind(n node) string {
	if list := n.get("type").items(); len(list) > 0 {
		return list[0].text()
	}
	return n.get("type").text()
}

// exampleText returns a text of the schema's format.
func exampleText(n node) string {
	switch n.get("format").text() {
	case "uuid":
		return "01993f6e-5b7a-7c3d-9e21-4f60a1b2c3d4"
	case "date-time":
		return "2026-01-31T20:15:00Z"
	case "date":
		return "2026-01-31"
	case "email":
		return "carol@example.org"
	case "uri", "uri-reference":
		return "https://example.org/"
	}
	return "text"
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func writeString(b *strings.Builder, text string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string builder never fails
}

// writeJSON writes a value of the document.
func writeJSON(b *strings.Builder, n node) {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i, f := range n.fields() {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, f.name)
			b.WriteByte(':')
			writeJSON(b, f.value)
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.items() {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, item)
		}
		b.WriteByte(']')
	default:
		if n.Tag == "!!str" || n.Tag == "!!timestamp" {
			writeString(b, n.Value)
			return
		}
		b.WriteString(n.Value)
	}
}
