package pikvm

import (
	"maps"
	"slices"
)

// deadKeys are the dead keys, by the signs that stand for them in layoutSigns: each with pairs of the letter that is typed
// after it and the character that comes of both. The characters are those that Unicode composes of the letter and the accent
// (Unicode Standard, section 3.11). With the space, a dead key gives the plain sign, as far as systems agree on it.
var deadKeys = map[rune]string{
	'ˋ': " `aàeèiìoòuùyỳnǹwẁAÀEÈIÌOÒUÙYỲNǸWẀ",
	'ˊ': " 'aáeéiíoóuúyýcćgǵkḱlĺnńrŕsśwẃzźmḿpṕAÁEÉIÍOÓUÚYÝCĆGǴKḰLĹNŃRŔSŚWẂZŹMḾPṔ",
	'ˆ': " ^aâeêiîoôuûyŷcĉgĝhĥjĵsŝwŵzẑAÂEÊIÎOÔUÛYŶCĈGĜHĤJĴSŜWŴZẐ",
	'˜': " ~aãeẽiĩoõuũyỹnñvṽAÃEẼIĨOÕUŨYỸNÑVṼ",
	'¨': " \"aäeëiïoöuüyÿhḧtẗwẅxẍAÄEËIÏOÖUÜYŸHḦWẄXẌ",
	'¸': "eȩcçdḑgģhḩkķlļnņrŗsştţEȨCÇDḐGĢHḨKĶLĻNŅRŖSŞTŢ",
	'˛': "aąeęiįoǫuųAĄEĘIĮOǪUŲ",
	'ˇ': "aǎeěiǐoǒuǔcčdďgǧhȟjǰkǩlľnňrřsštťzžAǍEĚIǏOǑUǓCČDĎGǦHȞKǨLĽNŇRŘSŠTŤZŽ",
	'˘': "aăeĕiĭoŏuŭgğAĂEĔIĬOŎUŬGĞ",
	'˙': "aȧeėoȯyẏcċdḋgġhḣnṅrṙsṡtṫwẇzżbḃfḟmṁpṗxẋAȦEĖIİOȮYẎCĊDḊGĠHḢNṄRṘSṠTṪWẆZŻBḂFḞMṀPṖXẊ",
	'˚': "aåuůyẙwẘAÅUŮ",
	'˝': "oőuűOŐUŰ",
	'ˉ': "aāeēiīoōuūyȳgḡAĀEĒIĪOŌUŪYȲGḠ",
}

// addDead adds what the dead keys of a layout make of letters that it has without them.
func (l layout) addDead(dead map[rune]keyStroke) {
	for _, sign := range slices.Sorted(maps.Keys(dead)) {
		pairs := []rune(deadKeys[sign])
		for i := 0; i < len(pairs); i += 2 {
			if letter := l[pairs[i]]; len(letter) == 1 {
				l.add(pairs[i+1], dead[sign], letter[0])
			}
		}
	}
}
