package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// imageName is what the device calls the image.
const imageName = "fieldlink-demo.img"

// newImage returns the content of an image, which is made while it is read.
func newImage(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte([]byte("fieldlink demo, a whole new disk"))), size)
}

// withDrive shows an image to the computer for as long as work takes.
func (j *job) withDrive(ctx context.Context, work func(ctx context.Context) error) error {
	j.line.scene("upload an image, and show it to the computer")
	err := j.mount(ctx)
	if err == nil {
		err = work(ctx)
	}
	return errors.Join(err, j.eject(ctx))
}

func (j *job) mount(ctx context.Context) error {
	if err := j.upload(ctx); err != nil {
		return err
	}
	if err := j.kvm.MSD.Mount(ctx, imageName, &pikvm.MountOptions{CDROM: true}); err != nil {
		return err
	}
	j.line.say("drive", "the computer has a CD-ROM drive with %s", imageName)
	return nil
}

// upload sends the image, reads it back and compares.
func (j *job) upload(ctx context.Context) error {
	b := j.line.bar("drive", "upload "+imageName)
	defer b.close()
	written, err := j.kvm.MSD.Upload(ctx, imageName, newImage(j.cfg.image), j.cfg.image, &pikvm.UploadOptions{
		Replace:  true, // one that an earlier demo could not remove
		Verify:   true,
		Progress: b.set,
	})
	if err != nil {
		return err
	}
	j.line.say("drive", "the device lists all %d bytes; read back, they have the same SHA-256", written.Size)
	return nil
}

// eject takes the drive away and removes the image, also when ctx has ended.
func (j *job) eject(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	j.line.scene("clean up")
	if err := j.kvm.MSD.Eject(ctx, nil); err != nil {
		return err
	}
	if err := j.kvm.MSD.Remove(ctx, imageName, nil); err != nil && !errors.Is(err, pikvm.ErrNotFound) {
		return err
	}
	j.line.say("drive", "ejected, and %s removed", imageName)
	return nil
}
