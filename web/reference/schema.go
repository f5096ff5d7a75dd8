package reference

import (
	"fmt"
	"html/template"
	"strings"

	"go.yaml.in/yaml/v3"
)

const schemaPrefix = "#/components/schemas/"

// property is a field of an object, as the page shows it.
type property struct {
	Name        string
	Required    bool
	Type        template.HTML
	Limits      []string
	Values      []string // an enum's
	Description template.HTML
}

// schema is a named schema, as the page shows it.
type schema struct {
	property
	Properties []property
}

func (d document) schemas() ([]schema, error) {
	var all []schema
	for _, f := range d.root.get("components").get("schemas").fields() {
		whole, err := d.property(f.name, f.value, false)
		if err != nil {
			return nil, err
		}
		properties, err := d.properties(f.value)
		if err != nil {
			return nil, err
		}
		all = append(all, schema{whole, properties})
	}
	return all, nil
}

// properties are those of an object. Those that allOf adds are among them, unless they are behind a reference.
func (d document) properties(of node) ([]property, error) {
	var all []property
	for _, f := range of.get("properties").fields() {
		p, err := d.property(f.name, f.value, of.get("required").has(f.name))
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	for _, part := range of.get("allOf").items() {
		more, err := d.properties(part)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func (d document) property(name string, of node, required bool) (property, error) {
	description, err := markdown(of.get("description").text())
	if err != nil {
		return property{}, err
	}
	return property{name, required, typeOf(of), limitsOf(of), valuesOf(of), description}, nil
}

// typeOf describes a type in words, with links to named schemas.
func typeOf(n node) template.HTML {
	words := typeWords(n)
	if n.get("nullable").isTrue() {
		words += " or null"
	}
	return words
}

func typeWords(n node) template.HTML {
	if ref := n.get("$ref").text(); ref != "" {
		name := template.HTMLEscapeString(strings.TrimPrefix(ref, schemaPrefix))
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`) //nolint:gosec // escaped
	}
	for key, word := range map[string]string{"allOf": " and ", "anyOf": " or ", "oneOf": " or "} {
		if parts := n.get(key).items(); len(parts) > 0 {
			return join(parts, word)
		}
	}
	types := []string{n.get("type").text()}
	if list := n.get("type").items(); len(list) > 0 {
		types = types[:0]
		for _, item := range list {
			types = append(types, item.text())
		}
	}
	for i, name := range types {
		types[i] = string(typeName(name, n))
	}
	return template.HTML(strings.Join(types, " or ")) //nolint:gosec // typeName escapes
}

func typeName(name string, n node) template.HTML {
	switch {
	case name == "array":
		return "array of " + typeOf(n.get("items"))
	case len(n.get("additionalProperties").fields()) > 0:
		return "object whose values are " + typeOf(n.get("additionalProperties"))
	case n.get("format").text() == "binary":
		return "file"
	case name == "" && n.get("properties").exists():
		return "object"
	case name == "" && n.get("const").exists():
		return "string"
	case name == "":
		return "any value"
	}
	words := name
	if format := n.get("format").text(); format != "" && name != "null" {
		words += " (" + format + ")"
	}
	return template.HTML(template.HTMLEscapeString(words)) //nolint:gosec // escaped
}

func join(parts []node, word string) template.HTML {
	var words []string
	for _, part := range parts {
		if words = append(words, string(typeOf(part))); part.get("properties").exists() {
			words[len(words)-1] = "more"
		}
	}
	return template.HTML(strings.Join(words, word)) //nolint:gosec // typeOf escapes
}

func limitsOf(n node) []string {
	var limits []string
	between := func(from, to, unit string) {
		least, most := n.get(from).text(), n.get(to).text()
		switch {
		case least != "" && most != "" && least != most:
			limits = append(limits, fmt.Sprintf("%s to %s%s", least, most, unit))
		case least != "" && least == most:
			limits = append(limits, least+unit)
		case most != "":
			limits = append(limits, fmt.Sprintf("at most %s%s", most, unit))
		case least != "":
			limits = append(limits, fmt.Sprintf("at least %s%s", least, unit))
		}
	}
	between("minLength", "maxLength", " characters")
	between("minimum", "maximum", "")
	between("minItems", "maxItems", " items")
	if n.get("uniqueItems").isTrue() {
		limits = append(limits, "each once")
	}
	if pattern := n.get("pattern").text(); pattern != "" {
		limits = append(limits, "pattern "+pattern)
	}
	if value := n.get("default"); value.exists() && value.Kind == yaml.ScalarNode {
		limits = append(limits, "default "+value.text())
	}
	return limits
}

func valuesOf(n node) []string {
	if items := n.get("items"); items.exists() {
		n = items
	}
	var values []string
	if only := n.get("const"); only.exists() {
		values = append(values, only.text())
	}
	for _, value := range n.get("enum").items() {
		values = append(values, value.text())
	}
	return values
}
