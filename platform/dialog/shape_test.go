package dialog

import "testing"

func TestMasked(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"739154": "{secret}", "739 154": "{secret}", " 739-154 ": "{secret}", "٧٣٩١٥٤": "{secret}",
		"20101198877665": "{personal_number}", "2010119 8877665": "{personal_number}", "2010119887766": "{personal_number}",
		"ID7391548": "{document_number}", "id 7391548": "{document_number}", "АN739154": "{document_number}",
		"мой код 739154": "{secret}", "код: 739-154": "{secret}", "менин кодум 739 154": "{secret}", "kod739154": "{secret}", "739154 739155": "{personal_number}",
		"739154 эмес, 739 155": "{secret}", "ИНН 2 0101 1988 77665": "{personal_number}", "паспорт ID № 7391548": "{document_number}",
		"1": "1", "00": "00", "*1414*2*1#": "*1414*2*1#", "01KG123ABC": "01KG123ABC", "B1234AB": "B1234AB", "01 kg 777 aaa": "01 kg 777 aaa",
		"очередь 47737399981": "очередь 47737399981", "справка AS25-C3U6-B25": "справка AS25-C3U6-B25", "айып 01 KG 123 ABC": "айып 01 KG 123 ABC",
		"47737399981": "47737399981", "1221793017": "1221793017", "AS25-C3U6-B25": "AS25-C3U6-B25", "": "", "айып": "айып",
	} {
		if got := Masked(typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
}
