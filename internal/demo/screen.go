package main

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// screenshot writes the screen to a PNG file, and removes that again unless it was asked for by name.
func (j *job) screenshot(ctx context.Context) error {
	picture, err := j.kvm.Screenshot(ctx, &pikvm.ScreenshotOptions{Session: j.session, AllowOffline: true})
	if err != nil {
		return err
	}
	file, fate := j.cfg.png, "kept"
	if file == "" {
		dir, err := os.MkdirTemp("", "fieldlink-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is in the directory for such files
		file, fate = filepath.Join(dir, "screen.png"), "removed now; -png keeps it"
	}
	size, err := writePNG(file, picture.JPEG)
	if err != nil {
		return err
	}
	j.line.say("screen", "%d x %d pixels, %d bytes in %s (%s)", picture.Width, picture.Height, size, file, fate)
	return nil
}

// writePNG writes a picture that came as JPEG, and returns how many bytes it wrote.
func writePNG(file string, picture []byte) (int, error) {
	decoded, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return 0, fmt.Errorf("the picture of the screen: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, decoded); err != nil {
		return 0, err
	}
	return out.Len(), os.WriteFile(file, out.Bytes(), 0o600)
}
