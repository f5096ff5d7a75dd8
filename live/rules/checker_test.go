package rules

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// checker checks the types of single files among the other files of their packages.
type checker struct {
	set      *token.FileSet
	imports  types.Importer
	packages map[string]map[string]*ast.File // by the folder and the path in the repository
}

// newChecker reads the packages of the table's files. Those that they import are read as they are built.
func newChecker(t *testing.T) *checker {
	t.Helper()
	folders := map[string]bool{}
	for _, s := range design {
		for _, r := range s.rules {
			for _, e := range r.without {
				if filepath.Ext(e.file) == ".go" {
					folders["./"+filepath.Dir(e.file)] = true
				}
			}
		}
	}
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles"}
	for folder := range folders {
		args = append(args, folder)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	base, err := filepath.Abs(root)
	require.NoError(t, err)
	c := &checker{set: token.NewFileSet(), packages: map[string]map[string]*ast.File{}}
	built := map[string]string{}
	for decoder := json.NewDecoder(out); ; {
		var p struct {
			ImportPath, Export, Dir string
			GoFiles                 []string
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		built[p.ImportPath] = p.Export
		folder, err := filepath.Rel(base, p.Dir)
		require.NoError(t, err)
		if !folders["./"+folder] {
			continue
		}
		c.packages[folder] = map[string]*ast.File{}
		for _, name := range p.GoFiles {
			path := filepath.Join(folder, name)
			parsed, err := parser.ParseFile(c.set, filepath.Join(root, path), nil, 0)
			require.NoError(t, err)
			emptyBodies(parsed)
			c.packages[folder][path] = parsed
		}
	}
	require.NoError(t, cmd.Wait())
	require.Len(t, c.packages, len(folders))
	c.imports = importer.ForCompiler(c.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(built[path]) })
	return c
}

// emptyBodies replaces the bodies of a file's functions, which take the most time to check.
func emptyBodies(file *ast.File) {
	for _, declaration := range file.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok && f.Body != nil {
			f.Body.List = []ast.Stmt{&ast.ExprStmt{X: &ast.CallExpr{
				Fun: ast.NewIdent("panic"), Args: []ast.Expr{ast.NewIdent("nil")},
			}}}
		}
	}
}

// file checks a file with other content. It ignores what is wrong in other files: they import what they do not use.
func (c *checker) file(path, text string) error {
	file, err := parser.ParseFile(c.set, path, text, 0)
	if err != nil {
		return err
	}
	files := []*ast.File{file}
	for other, parsed := range c.packages[filepath.Dir(path)] {
		if other != path {
			files = append(files, parsed)
		}
	}
	config := types.Config{Importer: c.imports, Error: func(found error) {
		var e types.Error
		if err == nil && errors.As(found, &e) && e.Fset.Position(e.Pos).Filename == path {
			err = found
		}
	}}
	_, _ = config.Check(filepath.Dir(path), c.set, files, nil)
	return err
}
