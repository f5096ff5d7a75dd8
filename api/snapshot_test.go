package api

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/store"
)

// TestUploadAndPictureAreOfOneMoment: an answer that says of an upload that it is ready has its pictures.
func TestUploadAndPictureAreOfOneMoment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice := b.user(t, "alice")
	publish := func() {
		version, err := b.store.NextAvatarVersion(t.Context(), alice.id)
		require.NoError(t, err)
		_, err = b.store.CreateAvatar(t.Context(), alice.id, version)
		require.NoError(t, err)
		_, err = b.store.PublishAvatar(t.Context(), alice.id, version)
		require.NoError(t, err)
	}
	publish()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 60 {
			publish()
		}
	})
	ready := 0
	for range 200 {
		upload := b.do(t, "GET", avatarPath, alice.token, nil).data()
		if upload["status"] != "ready" {
			continue
		}
		ready++
		require.Contains(t, upload["avatar"].(map[string]any)["plain"], fmt.Sprintf("/%v/", upload["version"]))
	}
	wg.Wait()
	require.Positive(t, ready)
}

// apart are the functions that read the store more than once, outside of a snapshot, with the reason.
var apart = map[string]string{
	"AdminListMessages":    "the first is an entry of the audit",
	"logIn":                "the last looks again at what the others found",
	"PutAvatar":            "what the account shows does not change by an upload that begins",
	"EditMessage":          "the second looks again at what the first found",
	"DeleteMessage":        "the second looks again at what the first found",
	"ConfirmPasswordReset": "the second looks again at what the first found",
	"ChangePassword":       "the second looks again at what the first found",
	"DeleteAvatar":         "the answer has nothing of them",
	"renewHash":            "the answer has nothing of them",
	"checkDatabase":        "health is of no moment",
}

// TestAnswersOfOneMoment fails for a function that puts two reads of the store into one answer: something may change
// between them.
func TestAnswersOfOneMoment(t *testing.T) {
	t.Parallel()
	methods := map[string]bool{"me": true}
	of := reflect.TypeFor[*store.Store]()
	for i := range of.NumMethod() {
		methods[of.Method(i).Name] = true
	}
	noTest := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", noTest, 0) //nolint:staticcheck // no types are needed
	require.NoError(t, err)
	used := map[string]bool{}
	for _, file := range packages["api"].Files {
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			var reads []string
			ast.Inspect(function, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				called, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || !methods[called.Sel.Name] {
					return true
				}
				held, isField := called.X.(*ast.SelectorExpr)
				own, isOwn := called.X.(*ast.Ident)
				if isField && held.Sel.Name == "store" || isOwn && own.Name == "s" && called.Sel.Name == "me" {
					reads = append(reads, called.Sel.Name)
				}
				return true
			})
			if len(reads) > 1 {
				used[function.Name.Name] = true
				require.Contains(t, apart, function.Name.Name, "%q", reads)
			}
		}
	}
	for name := range apart {
		assert.True(t, used[name], "%s has no two reads any more", name)
	}
}
