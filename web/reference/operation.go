package reference

import (
	"html/template"
	"slices"
	"strings"
)

// operation is one method of one path, as the page shows it.
type operation struct {
	ID, Method, Path string
	Summary          string
	Description      template.HTML
	Access           string
	Parameters       []parameter
	Body             *content
	Responses        []response
	Callbacks        []callback
}

// callback is a request that the service sends because of an operation.
type callback struct {
	ID, Summary string
	Body        content
}

type parameter struct {
	property
	In string
}

type content struct {
	Type       string
	Schema     template.HTML
	Properties []property // of a schema without a name
	Example    string
	File       string // the property that is a file
}

type response struct {
	Status      string
	Description template.HTML
	Headers     []property
	Problem     template.HTML // the schema of a problem, which has no other content
	Contents    []content
}

// access says for each x-role to whom an operation is open.
var access = map[string]string{"anyone": "Open to everyone", "user": "Needs sign-in", "admin": "For admins"}

func (d document) operation(method, path string, item, of node) (operation, error) {
	o := operation{
		ID:      of.get("operationId").text(),
		Method:  strings.ToUpper(method),
		Path:    path,
		Summary: of.get("summary").text(),
		Access:  access[of.get("x-role").text()],
	}
	var err error
	if o.Description, err = d.markdownWithCodes(of.get("description").text()); err != nil {
		return operation{}, err
	}
	for _, n := range slices.Concat(item.get("parameters").items(), of.get("parameters").items()) {
		p, err := d.parameter(n)
		if err != nil {
			return operation{}, err
		}
		o.Parameters = append(o.Parameters, p)
	}
	if body, _ := d.resolve(of.get("requestBody")); body.exists() {
		contents, err := d.contents(body, true)
		if err != nil {
			return operation{}, err
		}
		o.Body = &contents[0]
	}
	for _, f := range of.get("responses").fields() {
		r, err := d.response(f.name, f.value)
		if err != nil {
			return operation{}, err
		}
		o.Responses = append(o.Responses, r)
	}
	o.Callbacks, err = d.callbacks(of)
	return o, err
}

func (d document) callbacks(of node) (all []callback, err error) {
	for _, f := range of.get("callbacks").fields() {
		for _, address := range f.value.fields() {
			sent := address.value.get("post")
			contents, err := d.contents(sent.get("requestBody"), true)
			if err != nil {
				return nil, err
			}
			all = append(all, callback{
				ID: sent.get("operationId").text(), Summary: sent.get("summary").text(), Body: contents[0],
			})
		}
	}
	return all, nil
}

func (d document) parameter(n node) (parameter, error) {
	n, _ = d.resolve(n)
	p, err := d.property(n.get("name").text(), n.get("schema"), n.get("required").isTrue())
	if err != nil {
		return parameter{}, err
	}
	if text := n.get("description").text(); text != "" {
		if p.Description, err = markdown(text); err != nil {
			return parameter{}, err
		}
	}
	return parameter{p, n.get("in").text()}, nil
}

func (d document) response(status string, n node) (response, error) {
	n, _ = d.resolve(n)
	r := response{Status: status}
	if status == "default" {
		r.Status = "Any other"
	}
	var err error
	if r.Description, err = d.markdownWithCodes(n.get("description").text()); err != nil {
		return response{}, err
	}
	for _, f := range n.get("headers").fields() {
		header, _ := d.resolve(f.value)
		p, err := d.property(f.name, header.get("schema"), header.get("required").isTrue())
		if err != nil {
			return response{}, err
		}
		if p.Description, err = markdown(header.get("description").text()); err != nil {
			return response{}, err
		}
		r.Headers = append(r.Headers, p)
	}
	if problem := n.get("content").get("application/problem+json").get("schema"); problem.exists() {
		r.Problem = typeOf(problem)
		return r, nil
	}
	r.Contents, err = d.contents(n, false)
	return r, err
}

func (d document) contents(of node, request bool) ([]content, error) {
	var all []content
	for _, f := range of.get("content").fields() {
		given := f.value.get("schema")
		c := content{Type: f.name, Schema: typeOf(given)}
		if given.get("$ref").text() == "" {
			var err error
			if c.Properties, err = d.properties(given); err != nil {
				return nil, err
			}
		}
		for _, p := range given.get("properties").fields() {
			if p.value.get("format").text() == "binary" || p.value.get("contentMediaType").exists() {
				c.File = p.name
			}
		}
		if f.name == "application/json" {
			c.Example = d.example(given, request)
			if own := f.value.get("example"); own.exists() {
				c.Example = indent(own)
			}
		}
		all = append(all, c)
	}
	return all, nil
}
