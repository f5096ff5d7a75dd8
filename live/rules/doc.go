// Package rules has the rules of live rooms as a table: for each rule the edits of the code that remove it, and the
// test that fails then. Its tests check the table, and remove some rules. Their long form removes one rule after the
// other:
//
//	go test ./live/rules -run TestRules -rules.whole -v -timeout 3h
package rules
