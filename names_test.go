package watchparty_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sources are the Go files of the repository by folder, without what is generated.
func sources(t *testing.T) (*token.FileSet, map[string][]*ast.File) {
	t.Helper()
	set, folders := token.NewFileSet(), map[string][]*ast.File{}
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || path != "." && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".gen.go"):
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		folders[filepath.Dir(path)] = append(folders[filepath.Dir(path)], file)
		return err
	}))
	require.Greater(t, len(folders), 30)
	return set, folders
}

// TestFunctionsAreNotShadowed fails for a function body that calls a function of its package and has a variable of the
// same name: now := now() reads as if the one were the other, and hides the function from there on. It also fails for a
// method that has the name of one of its results.
func TestFunctionsAreNotShadowed(t *testing.T) {
	t.Parallel()
	set, folders := sources(t)
	for _, files := range folders {
		functions := map[string]bool{}
		for _, file := range files {
			for _, declaration := range file.Decls {
				if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil {
					functions[f.Name.Name] = true
				}
			}
		}
		for _, file := range files {
			for _, declaration := range file.Decls {
				f, ok := declaration.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if f.Recv != nil && slices.Contains(resultNames(f), f.Name.Name) {
					t.Errorf("%s: %s is a method, and a result of it", set.Position(f.Pos()), f.Name)
				}
				if f.Body == nil {
					continue
				}
				for name, place := range shadowed(f, functions) {
					t.Errorf("%s: %s is a function that is called here", set.Position(place), name)
				}
			}
		}
	}
}

// resultNames returns the names of the results of f.
func resultNames(f *ast.FuncDecl) []string {
	var names []string
	if f.Type.Results != nil {
		for _, result := range f.Type.Results.List {
			for _, name := range result.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// shadowed returns the variables and parameters of f whose names are those of functions that f calls.
func shadowed(f *ast.FuncDecl, functions map[string]bool) map[string]token.Pos {
	called, variables := map[string]bool{}, map[string]token.Pos{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && functions[name.Name] && !isVariable(name) {
				called[name.Name] = true
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if name, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					variables[name.Name] = name.Pos()
				}
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				variables[name.Name] = name.Pos()
			}
		case *ast.FuncType:
			for _, parameter := range n.Params.List {
				for _, name := range parameter.Names {
					variables[name.Name] = name.Pos()
				}
			}
		}
		return true
	})
	for name := range variables {
		if !called[name] {
			delete(variables, name)
		}
	}
	return variables
}

func isVariable(name *ast.Ident) bool { return name.Obj != nil && name.Obj.Kind == ast.Var }

// TestDomainImportsNothing: the root package holds the domain, which depends on the standard library and on Unicode's
// rules alone.
func TestDomainImportsNothing(t *testing.T) {
	t.Parallel()
	set, folders := sources(t)
	for _, file := range folders["."] {
		position := set.Position(file.Pos())
		if strings.HasSuffix(position.Filename, "_test.go") {
			continue
		}
		for _, imported := range file.Imports {
			path, err := strconv.Unquote(imported.Path.Value)
			require.NoError(t, err)
			first, _, _ := strings.Cut(path, "/")
			standard := !strings.Contains(first, ".")
			unicode := strings.HasPrefix(path, "golang.org/x/text/") || path == "golang.org/x/net/idna"
			require.True(t, standard || unicode, "%s imports %s", position, path)
		}
	}
}

// TestErrorCodesAreUnique: errors.Is compares coded errors by their code, so two exported errors that share a code are
// taken for each other.
func TestErrorCodesAreUnique(t *testing.T) {
	t.Parallel()
	set, folders := sources(t)
	owners := map[string]string{}
	for _, files := range folders {
		for _, file := range files {
			for name, code := range codedErrors(file) {
				require.Empty(t, owners[code], "%s: %s has the code of %s", set.Position(file.Pos()), name, owners[code])
				owners[code] = name
			}
		}
	}
	require.Greater(t, len(owners), 60)
}

// codedErrors are the codes of a file's exported errors, by name.
func codedErrors(file *ast.File) map[string]string {
	codes := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !spec.Names[0].IsExported() {
			return true
		}
		ast.Inspect(spec.Values[0], func(n ast.Node) bool {
			pair, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, isName := pair.Key.(*ast.Ident)
			value, isText := pair.Value.(*ast.BasicLit)
			if isName && isText && key.Name == "Code" {
				codes[spec.Names[0].Name] = value.Value
			}
			return isName && key.Name != "Fields"
		})
		return false
	})
	return codes
}
