// Package contract is generated from the contract, api/openapi.yaml: its models, the strict server's interface with the
// requests and responses of each operation, and the document itself.
package contract

//go:generate ../../bin/oapi-codegen -config oapi-codegen.yaml ../openapi.yaml
