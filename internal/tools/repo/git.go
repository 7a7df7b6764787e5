package repo

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// Git runs git in dir and returns what it printed, without the trailing newline.
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}

// Tag is the git tag of a version of m.
func (m *Module) Tag(version string) string { return m.Dir + "/" + version }

// Versions lists the tagged versions of m, oldest first.
func (r *Repo) Versions(ctx context.Context, m *Module) ([]string, error) {
	out, err := Git(ctx, r.Root, "tag", "--list", m.Dir+"/v*")
	if err != nil {
		return nil, err
	}
	var versions []string
	for tag := range strings.FieldsSeq(out) {
		version := strings.TrimPrefix(tag, m.Dir+"/")
		if semver.Canonical(version) == version {
			versions = append(versions, version)
		}
	}
	slices.SortFunc(versions, semver.Compare)
	return versions, nil
}

// Changed lists the files of m that differ between the commit or tree-ish from and HEAD. Modules nested in its folder
// do not count.
func (r *Repo) Changed(ctx context.Context, m *Module, from string) ([]string, error) {
	nested, err := Git(ctx, r.Root, "ls-files", "--", ":(glob)"+m.Dir+"/*/**/go.mod")
	if err != nil {
		return nil, err
	}
	args := []string{"diff", "--name-only", from, "HEAD", "--", m.Dir}
	for file := range strings.FieldsSeq(nested) {
		args = append(args, ":(exclude)"+path.Dir(file))
	}
	out, err := Git(ctx, r.Root, args...)
	return strings.Fields(out), err
}
