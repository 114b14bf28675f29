package dialog

import "testing"

func TestMasked(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"739154": "{secret}", "739 154": "{secret}", " 739-154 ": "{secret}", "٧٣٩١٥٤": "{secret}",
		"20101198877665": "{personal_number}", "2010119 8877665": "{personal_number}", "2010119887766": "{personal_number}",
		"ID7391548": "{document_number}", "id 7391548": "{document_number}", "АN739154": "{document_number}",
		"1": "1", "00": "00", "*1414*2*1#": "*1414*2*1#", "01KG123ABC": "01KG123ABC", "B1234AB": "B1234AB", "01 kg 777 aaa": "01 kg 777 aaa",
		"47737399981": "47737399981", "1221793017": "1221793017", "AS25-C3U6-B25": "AS25-C3U6-B25", "": "", "айып": "айып",
	} {
		if got := Masked(typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
}
