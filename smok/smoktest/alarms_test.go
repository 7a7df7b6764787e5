package smoktest_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const alarmsPath = "/v1/device/alarms"

func event(members object) object {
	e := object{
		"started_on": 1795326768, "color": 2, "alarm_type": 0, "token": "hot", "group": "B", "message": "Hot", "metadata": object{},
	}
	for key, v := range members {
		e[key] = v
	}
	return e
}

// post posts events and returns the uuids of the answer.
func post(p *peer, events ...any) []string {
	p.t.Helper()
	status, answer := p.do("POST", alarmsPath, events)
	entries, _ := answer.([]any)
	if status != http.StatusOK || len(entries) != len(events) {
		p.t.Fatalf("%d %v", status, answer)
	}
	var uuids []string
	for _, entry := range entries {
		uuids = append(uuids, entry.(map[string]any)["uuid"].(string))
	}
	return uuids
}

func TestAlarmsAreRaisedAndUpdated(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	uuids := post(p, event(nil), event(object{"alarm_type": 1, "color": 0, "handled_by": "me", "ended_on": 1795326770.5}))
	v4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !v4.MatchString(uuids[0]) || !v4.MatchString(uuids[1]) || uuids[0] == uuids[1] {
		t.Errorf("%v", uuids)
	}
	again := post(p, event(object{"uuid": uuids[0], "ended_on": 1795326800, "metadata": object{"k": "v"}}), event(object{"uuid": "by another hub"}))
	if d := cmp.Diff([]string{uuids[0], "by another hub"}, again); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	base := smoktest.Alarm{Started: time.Unix(1795326768, 0).UTC(), Color: 2, Token: "hot", Group: "B", Message: "Hot", Metadata: map[string]string{}, Posts: 1}
	closed, point, other := base, base, base
	closed.UUID, closed.Posts, closed.Ended, closed.Metadata = uuids[0], 2, time.Unix(1795326800, 0).UTC(), map[string]string{"k": "v"}
	point.UUID, point.Color, point.Point, point.HandledBy, point.Ended = uuids[1], 0, true, "me", time.UnixMilli(1795326770500).UTC()
	other.UUID = "by another hub"
	if d := cmp.Diff([]smoktest.Alarm{closed, point, other}, pump.Alarms()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if c := pump.Counts(); c.Alarms != 3 || c.AlarmPosts != 4 || c.FloatTimes != 1 {
		t.Errorf("%+v", c)
	}
}

func TestRepeatedEventsAreOneAlarm(t *testing.T) {
	t.Parallel()
	provisional := event(object{"metadata": object{smoktest.ProvisionalKey: "0123"}})
	for name, test := range map[string]struct {
		keep   bool
		alarms int
	}{"merged": {false, 1}, "kept": {true, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := start(t, smoktest.Options{KeepDuplicateAlarms: test.keep})
			p := connect(t, hub, "pump")
			first := post(p, provisional, provisional)
			again := post(p, provisional)
			if same := first[0] == first[1] && first[0] == again[0]; same == test.keep {
				t.Errorf("%v %v", first, again)
			}
			if c := hub.Device("pump").Counts(); c.Alarms != test.alarms || c.AlarmPosts != 3 {
				t.Errorf("%+v", c)
			}
			if other := connect(t, hub, "valve"); post(other, provisional)[0] == first[0] {
				t.Error("two devices share an alarm")
			}
		})
	}
}

func TestBadEvents(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	for _, bad := range []any{
		1, event(object{"color": 3}), event(object{"alarm_type": 2}), event(object{"alarm_type": true}),
		event(object{"metadata": object{"k": 1}}), event(object{"metadata": nil}), event(object{"started_on": "now"}),
		event(object{"uuid": nil}), event(object{"ended_on": nil}), event(object{"provisional_uuid": "x"}),
		object{},
	} {
		p.refused("POST", alarmsPath, list{event(nil), bad}, http.StatusBadRequest)
	}
	if got := hub.Device("pump").Alarms(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestForgottenAlarmsAreRaisedAgain(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{MaxKept: 2})
	p := connect(t, hub, "pump")
	provisional := func(id string) object { return event(object{"metadata": object{smoktest.ProvisionalKey: id}}) }
	first := post(p, provisional("1"), provisional("2"), provisional("3"), provisional("1"), provisional("3"))
	if first[0] == first[3] || first[2] != first[4] {
		t.Errorf("%v", first)
	}
	if got := hub.Device("pump").Alarms(); len(got) != 2 || got[0].UUID != first[2] || got[0].Posts != 2 {
		t.Errorf("%+v", got)
	}
}
