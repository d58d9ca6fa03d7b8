package config

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// readSecretFiles fills each secret that is given as a file.
func (l *loader) readSecretFiles() {
	for _, s := range settings(l.cfg) {
		secret, ok := s.value.Addr().Interface().(*Secret)
		if !ok {
			continue
		}
		file, ok := find(l.cfg, s.path+"_file")
		if !ok || file.value.String() == "" {
			continue
		}
		if !secret.IsZero() {
			l.report(file.path, fmt.Sprintf("is given as well as %s (%v): keep one", s.path, l.origins.of(s.path)))
			continue
		}
		text, err := readSecretFile(file.value.String())
		if err != nil {
			l.report(file.path, err.Error())
			continue
		}
		*secret = NewSecret(text)
		l.origins[s.path] = Origin{File: file.value.String()}
	}
}

// readSecretFile returns the text of a file without the newline at its end. It
// refuses an empty file and one that everybody may read.
func readSecretFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := notForEveryone(f); err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("%s is empty", name)
	}
	return text, nil
}

func notForEveryone(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", f.Name())
	case openTo(runtime.GOOS, info.Mode(), 0o004):
		return fmt.Errorf("%s can be read by everyone (mode %#o): chmod 600 or 640", f.Name(), info.Mode().Perm())
	}
	return nil
}

// openTo reports whether a mode gives one of the rights in bits. On Windows, where every
// file seems to be readable by everyone, it says nothing of who may read it.
func openTo(goos string, mode, bits os.FileMode) bool {
	return goos != "windows" && mode.Perm()&bits != 0
}

// hold notes a setting that the file has just set, if it is a secret now.
func (l *loader) hold(s setting) {
	if s.holdsSecret() {
		l.held = append(l.held, s.path)
	}
}

// guardFile refuses the settings file when it holds secrets, though another source
// may win over them, and not only its owner may read it. A file of one secret may be
// read by a group: that is how Kubernetes mounts it. All secrets together may not.
func (l *loader) guardFile(f *os.File) {
	if len(l.held) == 0 {
		return
	}
	origin := Origin{File: f.Name()}
	info, err := f.Stat()
	if err != nil {
		l.problem("", origin, err.Error())
		return
	}
	if mode := info.Mode().Perm(); openTo(runtime.GOOS, mode, 0o044) {
		l.problem("", origin, fmt.Sprintf("holds %s and can be read by others than its owner (mode %#o): chmod 600 %s, or give secrets as variables or in files of their own",
			strings.Join(l.held, ", "), mode, f.Name()))
	}
}
