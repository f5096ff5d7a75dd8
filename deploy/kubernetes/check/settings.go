package main

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/watchparty/watchparty/config"
)

// runtimeVariables are those of Go's runtime.
var runtimeVariables = []string{"GOMEMLIMIT"}

// environ is what the program of a container gets: from ConfigMaps, then from its own variables.
func (c *cluster) environ(container *corev1.Container) (map[string]string, error) {
	all := map[string]string{}
	for _, from := range container.EnvFrom {
		if from.ConfigMapRef == nil || c.settings[from.ConfigMapRef.Name] == nil {
			return nil, fmt.Errorf("its variables come from what is not here")
		}
		maps.Copy(all, c.settings[from.ConfigMapRef.Name])
	}
	for _, variable := range container.Env {
		if variable.ValueFrom != nil {
			return nil, fmt.Errorf("%s is no plain value; secrets are in files", variable.Name)
		}
		all[variable.Name] = variable.Value
	}
	return all, nil
}

// files are the files of a container's secrets.
func files(w workload, container *corev1.Container) []string {
	var all []string
	for _, m := range container.VolumeMounts {
		for _, v := range w.pod.Spec.Volumes {
			if v.Name != m.Name || v.Secret == nil {
				continue
			}
			for _, item := range v.Secret.Items {
				all = append(all, path.Join(m.MountPath, item.Path))
			}
		}
	}
	return all
}

// load reads the settings of the workload's program with the program's own code. Secrets have values of this function's
// own, in a folder of its own.
func (c *cluster) load(w workload) (config.Config, error) {
	return c.loadContainer(w, w.main())
}

// loaded is what load has found.
type loaded struct {
	cfg config.Config
	err error
}

func (c *cluster) loadContainer(w workload, container *corev1.Container) (config.Config, error) {
	key := w.name + "/" + container.Name
	if _, ok := c.loaded[key]; !ok {
		cfg, err := c.read(w, container)
		c.loaded[key] = loaded{cfg, err}
	}
	return c.loaded[key].cfg, c.loaded[key].err
}

func (c *cluster) read(w workload, container *corev1.Container) (config.Config, error) {
	settings, err := c.environ(container)
	if err != nil {
		return config.Config{}, err
	}
	dir, err := os.MkdirTemp("", "watchparty-check-")
	if err != nil {
		return config.Config{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range files(w, container) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return config.Config{}, err
		}
		if err := os.WriteFile(file, []byte(strings.Repeat("s", config.MinSecretBytes)), 0o600); err != nil {
			return config.Config{}, err
		}
	}
	var environ []string
	for name, value := range settings {
		if strings.HasPrefix(value, "/") {
			value = filepath.Join(dir, value)
		}
		environ = append(environ, name+"="+value)
	}
	cfg, err := config.Load(environ)
	if err != nil {
		return cfg, fmt.Errorf("%s", strings.ReplaceAll(err.Error(), dir, ""))
	}
	return cfg, nil
}

// checkSettings: the program knows each setting and takes its value, and each file that one names is there.
func checkSettings(c *cluster) {
	secret := map[string]bool{}
	for _, s := range config.Settings() {
		secret[s.Name] = s.Secret
	}
	for _, w := range c.workloads {
		for _, container := range slices.Concat(w.pod.Spec.InitContainers, w.pod.Spec.Containers) {
			settings, err := c.environ(&container)
			if err != nil {
				c.report("%s: %v", w.name, err)
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(settings)) {
				value := settings[name]
				switch {
				case slices.Contains(runtimeVariables, name):
				case !slices.Contains(config.Names(), name):
					c.report("%s: there is no setting %s", w.name, name)
				case secret[name] && hasSecret(value):
					c.report("%s: %s has a secret as its value", w.name, name)
				case strings.HasPrefix(value, "/") && !slices.Contains(files(w, &container), value):
					c.report("%s: %s names %s, which no secret has", w.name, name, value)
				}
			}
			if _, err := c.loadContainer(w, &container); err != nil {
				c.report("%s: %v", w.name, err)
			}
		}
		if cfg, err := c.load(w); err == nil && w.role == "api" && len(cfg.HTTP.TrustedProxies) == 0 {
			c.report("%s: without HTTP_TRUSTED_PROXIES all clients share one rate limit", w.name)
		}
	}
}

// hasSecret reports whether the value of a secret setting is one: addresses without a password are not.
func hasSecret(value string) bool {
	for part := range strings.SplitSeq(value, ",") {
		u, err := url.Parse(part)
		if err != nil || u.Host == "" {
			return true
		}
		if _, has := u.User.Password(); has {
			return true
		}
	}
	return false
}

const (
	mebibyte = 1 << 20
	// pictureMemory is what a picture takes while it is rendered, and processMemory what the rest of a worker takes.
	pictureMemory, processMemory = 512 * mebibyte, 256 * mebibyte
	// uploads is how many uploads wait in TMPDIR at a time.
	uploads = 256
)

// memory matches a value of GOMEMLIMIT.
var memory = regexp.MustCompile(`^(\d+)MiB$`)

// checkMemory: what a program may take fits into what its pod has.
func checkMemory(c *cluster) {
	for _, w := range c.deployments() {
		cfg, err := c.load(w)
		if err != nil {
			continue
		}
		limit := w.main().Resources.Limits.Memory().Value()
		settings, _ := c.environ(w.main())
		if text, ok := settings["GOMEMLIMIT"]; ok {
			found := memory.FindStringSubmatch(text)
			if found == nil {
				c.report("%s: GOMEMLIMIT is not in MiB", w.name)
			} else if bytes, _ := strconv.ParseInt(found[1], 10, 64); bytes*mebibyte > limit*9/10 {
				c.report("%s: GOMEMLIMIT leaves less than a tenth of the memory for what is not Go's", w.name)
			}
		}
		if slices.Contains(queues(w), "avatar") {
			if n := int64(cfg.Avatar.Concurrency); n == 0 || limit < n*pictureMemory+processMemory {
				c.report("%s: has no memory for AVATAR_CONCURRENCY pictures", w.name)
			}
		}
		if w.role != "api" {
			continue
		}
		for _, v := range w.pod.Spec.Volumes {
			if v.Name == "tmp" && v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil &&
				v.EmptyDir.SizeLimit.Value() < uploads*cfg.Avatar.MaxUploadBytes {
				c.report("%s: its folder for uploads is too small for %d of them", w.name, uploads)
			}
		}
		if !slices.ContainsFunc(w.main().VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == "/tmp" }) {
			c.report("%s: has no place for uploads", w.name)
		}
	}
}

// port returns the port of an address or URL as a number, or a default.
func port(address string, usual int32) int32 {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	if _, text, err := net.SplitHostPort(address); err == nil {
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return int32(n)
		}
	}
	return usual
}
