package config

import (
	"fmt"
	"io"
	"os"
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
	case info.Mode().Perm()&0o004 != 0:
		return fmt.Errorf("%s can be read by everyone (mode %#o): chmod 600 or 640", f.Name(), info.Mode().Perm())
	}
	return nil
}
