// Package config finds out which devices to work with and how to reach them, from the command line, the environment and
// the configuration file.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// File is the configuration file.
type File struct {
	Default  string           `toml:"default"`  // device to work with when none is named
	Defaults Layer            `toml:"defaults"` // what all devices have in common
	Devices  map[string]Layer `toml:"devices"`
}

// DefaultPath returns where the file is unless somebody says otherwise: below the user's folder for configuration.
func DefaultPath(configDir string) string { return filepath.Join(configDir, "pikvmctl", "config.toml") }

// Load reads a file. One that is not there is an empty one, unless it must be there. Keys that mean nothing are refused,
// since a misspelt one could mean that a certificate is not checked.
func Load(path string, must bool, home string) (*File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return &File{}, nil
	}
	if err != nil {
		return nil, err
	}
	var file File
	meta, err := toml.Decode(string(text), &file)
	if err != nil {
		if parse, ok := errors.AsType[toml.ParseError](err); ok {
			return nil, fmt.Errorf("%s: line %d: %s", path, parse.Position.Line, parse.Message)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: unknown key %s", path, unknown[0])
	}
	if _, ok := file.Devices[file.Default]; !ok && file.Default != "" {
		return nil, fmt.Errorf("%s: the default device %q is not among the devices", path, file.Default)
	}
	place := func(l Layer) Layer { return l.below(filepath.Dir(path), home) }
	file.Defaults = place(file.Defaults)
	for name, layer := range file.Devices {
		if layer.URL == "" {
			return nil, fmt.Errorf("%s: device %q has no url", path, name)
		}
		file.Devices[name] = place(layer)
	}
	return &file, nil
}

// Names lists the devices, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.Devices)) }

// below completes the names of files: "~/" is the home folder, and what is not absolute is relative to dir.
func (l Layer) below(dir, home string) Layer {
	for _, name := range []*string{&l.PasswordFile, &l.TOTPSecretFile, &l.CA} {
		rest, ofHome := strings.CutPrefix(*name, "~/")
		switch {
		case *name == "" || filepath.IsAbs(*name):
		case ofHome:
			*name = filepath.Join(home, rest)
		default:
			*name = filepath.Join(dir, *name)
		}
	}
	return l
}
