package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the system user that runs Postgres if this process is root's.
type account struct{ uid, gid int }

// postgresAccount returns nil unless this process is root's.
func postgresAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		return nil, errors.New(`Postgres does not run as root, and there is no user "postgres" to run it as: ` +
			"apt-get install postgresql makes one")
	}
	uid, err := strconv.Atoi(found.Uid)
	if err != nil {
		return nil, fmt.Errorf("the user postgres: %w", err)
	}
	gid, err := strconv.Atoi(found.Gid)
	if err != nil {
		return nil, fmt.Errorf("the user postgres: %w", err)
	}
	return &account{uid: uid, gid: gid}, nil
}

func (a *account) credential() *syscall.Credential {
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// reaches reports whether the account can work in dir. It tries, since modes alone do not say so where there are ACLs.
func (a *account) reaches(ctx context.Context, dir string) bool {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `cd "$0" && test -w .`, dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential()}
	return cmd.Run() == nil
}

// settle chooses the folder of the cluster, and makes it.
func (p *postgres) settle(ctx context.Context) error {
	p.home = p.stack.folders.data(Postgres)
	if err := os.MkdirAll(p.home, 0o700); err != nil {
		return fmt.Errorf("make Postgres' folder: %w", err)
	}
	if p.account == nil {
		return nil
	}
	if err := os.Chown(p.home, p.account.uid, p.account.gid); err != nil {
		return fmt.Errorf("give Postgres its folder: %w", err)
	}
	if p.account.reaches(ctx, p.home) {
		return nil
	}
	return p.settleElsewhere(ctx)
}

func (p *postgres) settleElsewhere(ctx context.Context) error {
	for _, dir := range p.stack.folders.elsewhere() {
		home, err := p.account.claim(dir)
		if err != nil {
			return err
		}
		if !p.account.reaches(ctx, home) {
			continue
		}
		p.stack.options.Progress("the user postgres cannot reach %s: the database is in %s instead", p.home, home)
		p.home = home
		return nil
	}
	return fmt.Errorf("the user postgres can reach neither %s nor the temporary folder: choose another data folder",
		p.home)
}

// claim makes dir and, in it, a folder for the account.
func (a *account) claim(dir string) (string, error) {
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make a folder for Postgres: %w", err)
	}
	// Anybody can make folders in the temporary folder, and the name can be guessed.
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("make a folder for Postgres: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is not a folder of this user: remove it", dir)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", fmt.Errorf("make a folder for Postgres: %w", err)
	}
	home := filepath.Join(dir, string(Postgres))
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("make a folder for Postgres: %w", err)
	}
	return home, os.Chown(home, a.uid, a.gid)
}
