package mutant

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Types checks the types of edited files, each among the other files of its package.
type Types struct {
	set      *token.FileSet
	imports  types.Importer
	packages map[string]map[string]*ast.File // by the folder and the path in the repository
}

// ReadTypes reads the packages of the edited Go files. Those that they import are read as they are built.
func ReadTypes(root string, edits []Edit) (*Types, error) {
	folders := map[string]bool{}
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles"}
	for _, e := range edits {
		folder := filepath.Dir(e[0])
		if filepath.Ext(e[0]) == ".go" && !folders[folder] {
			folders[folder] = true
			args = append(args, "./"+folder)
		}
	}
	cmd := exec.Command("go", args...) //nolint:gosec // folders of edits
	cmd.Dir, cmd.Stderr = root, os.Stderr
	listed, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("mutant: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("mutant: %w", err)
	}
	t := &Types{set: token.NewFileSet(), packages: map[string]map[string]*ast.File{}}
	if err := t.read(listed, root, folders); err != nil {
		_ = listed.Close() // or go list would wait for a reader
		return nil, errors.Join(fmt.Errorf("mutant: %w", err), cmd.Wait())
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("mutant: go list: %w", err)
	}
	if len(t.packages) != len(folders) {
		return nil, fmt.Errorf("mutant: %d folders have %d packages", len(folders), len(t.packages))
	}
	return t, nil
}

// read reads what go list says.
func (t *Types) read(listed io.Reader, root string, folders map[string]bool) error {
	base, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	built := map[string]string{}
	for decoder := json.NewDecoder(listed); ; {
		var p struct {
			ImportPath, Export, Dir string
			GoFiles                 []string
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		built[p.ImportPath] = p.Export
		folder, err := filepath.Rel(base, p.Dir)
		if err != nil || !folders[folder] {
			continue
		}
		t.packages[folder] = map[string]*ast.File{}
		for _, name := range p.GoFiles {
			parsed, err := parser.ParseFile(t.set, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				return err
			}
			emptyBodies(parsed)
			t.packages[folder][filepath.Join(folder, name)] = parsed
		}
	}
	t.imports = importer.ForCompiler(t.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(built[path]) })
	return nil
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

// Check checks a file with other content. It ignores what is wrong in other files: they import what they do not use.
func (t *Types) Check(path, text string) error {
	file, err := parser.ParseFile(t.set, path, text, 0)
	if err != nil {
		return err
	}
	files := []*ast.File{file}
	for other, parsed := range t.packages[filepath.Dir(path)] {
		if other != path {
			files = append(files, parsed)
		}
	}
	config := types.Config{Importer: t.imports, Error: func(found error) {
		var e types.Error
		if err == nil && errors.As(found, &e) && e.Fset.Position(e.Pos).Filename == path {
			err = found
		}
	}}
	_, _ = config.Check(filepath.Dir(path), t.set, files, nil)
	return err
}
