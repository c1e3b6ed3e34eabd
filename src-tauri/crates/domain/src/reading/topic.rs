//! What a ticket is about: a run without output, somebody else's file, or billing without a run.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{Text, pattern};
use crate::support::Topic;

/// Somebody else's file in the customer's project.
static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:some(?:one|body) else'?s (?:\w+ )?(?:videos?|clips?|images?|files?|pictures?|assets?|work|project|footage|photos?|render\w*|face|output|content|ad|product|brand)|another (?:customer|user|client|person|company|brand|account|studio)'?s?|other (?:people|customer|user|person|client)'?s'? (?:\w+ )?(?:videos?|clips?|images?|files?|assets?|photos?)|stranger'?s?|",
        r"(?:belongs?|belonging) to (?:some(?:one|body) else|another|a different|other)|(?:is not|isn't|isnt|are not|aren't|arent|was not|wasn't|not|aint|ain't) (?:mine|ours|from me|from us|my (?:video|clip|image|file|picture|asset|footage|material)|our (?:video|clip|image|file|asset|footage|material))\b|",
        r"(?:i|we) (?:have )?never (?:made|created|generated|uploaded|ran|rendered) (?:this|that|it|these|those|any such)|(?:i|we) (?:did not|didn't|didnt) (?:make|create|generate|upload|render) (?:this|that|it|these|those)\b|(?:nothing|never anything) to do with (?:me|us|my|our)|do(?:n't| not) recogni[sz]e (?:this|that|the|it|these|the file)|i have never seen (?:this|that|before)|from (?:some(?:one|body) else|a stranger|another (?:user|customer|account|company))|(?:is not|isn't|isnt|not|aren't) from (?:my|our) account|not something (?:i|we) (?:made|created|generated)|(?:videos?|clips?|images?|files?|pictures?|assets?|footage)(?: that)? (?:i|we) (?:never|did not|didn't|didnt) (?:made?|create[d]?|generate[d]?|upload(?:ed)?|render(?:ed)?)|wrong person's|(?:does not|doesn't|doesnt|do not|don't) belong (?:to (?:me|us)|in my|here)|(?:people|person|man|woman|guy|girl|someone|somebody|face|family|kid|kids) (?:that |who |whom )?(?:i|we)(?: do not| don't| dont| have never|'ve never) (?:know|recogni[sz]e|seen|met)|who (?:is|are) (?:this|that|these|those) (?:man|woman|guy|girl|people|person)|",
        r"(?:nicht|weder) (?:von mir|von uns|meins|unseres|mein (?:video|bild|clip)|unser (?:video|bild|clip))|gehort (?:mir|uns) nicht|gehort (?:jemand\w*|einem|einer) ander\w+|fremd(?:e|es|er|en) (?:video|bild|bilder|datei|dateien|clip|clips|material|kunden?|asset|aufnahmen?)|von jemand(?:em)? ander\w+|eines anderen (?:kunden|nutzers)|habe ich nie (?:erstellt|hochgeladen|generiert)|(?:video|clip|bild|datei|aufnahme)\w*,? (?:das|den|die) (?:ich|wir) (?:nie|nicht) (?:erstellt|gemacht|generiert|hochgeladen)|gehort nicht (?:mir|uns)|nicht von meinem konto|",
        r"no es (?:mio|mia|nuestr[oa]|mi (?:video|imagen|clip|archivo))|de (?:otra persona|otro (?:cliente|usuario)|alguien mas|un desconocido)|no son (?:mios|mias)|(?:videos?|clips?|imagen|imagenes|archivos?|contenido) ajen[oa]s?|(?:yo )?no (?:lo|la|los|las) (?:he generado|he hecho|he creado|genere|hice|cree)\b|(?:video|clip|imagen|archivo)s? que (?:yo )?no (?:he generado|he hecho|he creado|genere|hice)\b|no me pertenecen?|nunca (?:hice|genere|subi) (?:eso|esto|ese|este)|",
        r"nao (?:e|sao) (?:meus?|minhas?|nosso|nossa)|de (?:outra pessoa|outro (?:cliente|usuario|utilizador)|alguem que)|nunca (?:fiz|gerei|enviei) (?:isso|esse|este)|(?:video|clipe?|imagem|arquivo)s? que (?:eu )?nao (?:fiz|gerei|criei|enviei)\b|nao me pertencem?|de um desconhecido|",
        r"(?:n'est|ne sont|c'est|sont) pas (?:a moi|a nous|le mien|la mienne|les miens|ma video|mon image)|(?:de |a |d')(?:quelqu'un d'autre|un autre (?:client|utilisateur)|une autre (?:personne|societe|entreprise))|appartient a (?:quelqu'un|un autre)|ne (?:m'|nous )appartien(?:t|nent) pas|(?:video|clip|image|fichier)s? que je n'ai (?:pas|jamais) (?:fait|cree|genere|importe)\w*|d'un(?:e)? inconnue?|",
        r"non (?:e|sono) (?:mio|mia|miei|mie|nostro)|di (?:qualcun altro|un'altra persona|un altro (?:cliente|utente))|non mi appart\w+|(?:video|clip|immagine|file) che (?:io )?non ho (?:mai )?(?:fatto|generato|creato|caricato)|di uno sconosciuto|niet van (?:mij|ons)|(?:video|clip|afbeelding) die ik niet (?:heb )?(?:gemaakt|gegenereerd)|vreemde (?:video|clip|afbeelding)|van (?:iemand anders|een andere (?:klant|gebruiker))|inte (?:min|mitt|vart)\b|ikke (?:min|mitt|mit)\b|nagon annans|nie (?:moj|moje|nasz)\b)",
        r"|他人の|自分の(?:もの)?ではない|私の(?:もの)?ではない|他の人の|別の人の|別のユーザー|他のユーザー|知らない人|他社の|見知らぬ|自分のもの(?:では|じゃ)|私のもの(?:では|じゃ)|別のお客様|別の方の|他の方の|(?:私|自分)が(?:作って|作成して|生成して)(?:い)?ない|(?:作った|作成した|生成した)覚えの?ない|見覚えのない(?:動画|画像|ファイル|素材|映像)|다른 사람|남의|别人的|其他用户"
    ))
});
/// "Not mine" may be about fault, taste or a colleague.
static NOT_FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:not (?:mine|my) (?:fault|problem|job|card|mistake)|not what i asked|isn't my (?:fault|problem|card)|(?:someone else|somebody else|another (?:user|person|member)) (?:on|in|from|of) (?:my|our) (?:team|workspace|company|studio|office|agency)|(?:someone|somebody) else'?s? (?:problem|credits)|(?:went|gone|sent|delivered|ended up|landed|routed|stored|saved|leaked|going|put) (?:in|into|to|at|on|with) (?:(?:someone|somebody) else|another (?:user|customer|person|company))(?:'?s)?(?: \w+)?|another (?:customer|user|person|company) (?:got|received|has|have|sees|saw|can see|gets)|(?:charged|billed|paid)(?: me)? for (?:a |the |some |two )?(?:videos?|clips?|images?)(?: that)? (?:i|we) (?:never|did not|didn't|didnt) \w+)\b",
    )
});

static BILLING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:subscription|renewal|renewed|renews?|auto-?renew\w*|invoices?|receipts?|vat\b|tax\b|credit card|my card|debit card|bank|paypal|stripe|payment|purchase[ds]?|bought|buy|top-?ups?|topped up|upgrad\w+|downgrad\w+|expir\w+|roll(?:ed)? ?over|carry over|coupon|promo|discount|pricing|annual|yearly|billing (?:address|period|cycle|date)|plan|refund policy|wiped|reset\w*|unused|pack|gift card|trial|seats?|",
        r"abo|abonnement|verlanger\w+|rechnung\w*|mwst|kreditkarte|gekauft|zahlung|aufgeladen|aufladung|verfall\w*|abgelaufen|ablauf\w*|tarif|kundigung|gekundigt|ubertragen|paket|",
        r"suscripcion|renovacion|renovo|renovar\w*|factura|tarjeta|compre|compra|pago|recarga|recargue|vencieron|caduc\w+|plan|paquete|expiraron|",
        r"assinatura|renovacao|renovou|fatura|cartao|comprei|compra|pagamento|recarga|expir\w+|venceram|plano|pacote|nota fiscal|",
        r"abonnement|renouvel\w+|facture|carte|achete|achat|paiement|recharge|forfait|pack|",
        r"abbonamento|rinnov\w+|fattura|carta|acquistat\w|acquisto|comprat\w|pagamento|ricarica|scadut\w|scadenza|pacchetto|verlenging|verlengd|factuur|gekocht|betaling|verlopen|opgewaardeerd|prenumeration|faktura|kopt\w*|betalning|subskrypcj\w+|faktur\w+|kupil\w+|platnosc)\b|[$€£] ?\d|\d ?(?:€|£|\$|eur\b|usd\b|euros?\b|dollars?\b|reais\b)|サブスク|更新|請求書|領収書|購入|有効期限|期限切れ|失効|解約|プラン|支払|追加購入|订阅|发票|购买|구독|결제|구매"
    ))
});
static RUN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:ran|runs?|render\w*|generat\w+|clips?|videos?|images?|output|node|canvas|failed|never (?:came|arrived|showed)|nothing (?:came|back)|empty|stuck|spinning|missing|lip-? ?sync|shot|scene|prompt|result|started|delivered|charged|refund|deducted|0 kb|won't play|",
        r"gestartet|generier\w+|bild|bilder|fehlgeschlagen|fehlt|kam nie|knoten|leer|lauf|genere|generad\w|imagen|fallo|no salio|no aparece|vacio|nodo|gerei|gerad\w|imagem|falhou|nao gerou|nao apareceu|vazio|genere\w*|lance\w*|echou\w*|vide|rendu|noeud|generat\w|fallit\w|vuoto|mancante|gemaakt|mislukt|leeg|ontbreekt|misslyckades|saknas|wygenerow\w+|brak)\b|生成|動画|画像|ノード|失敗|表示され|出力|영상|生成|视频|이미지"
    ))
});

/// What speaks for a run besides the words.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    pub project: bool,
    pub run_or_job: bool,
    pub model: bool,
}

/// The topic of a letter with its pictures.
pub(super) fn read(letter: &[Text], pictures: &[Text], signs: Signs) -> Topic {
    let foreign = |text: &Text| FOREIGN.is_match(&NOT_FOREIGN.replace_all(&text.folded, " "));
    if letter.iter().any(foreign) {
        return Topic::ForeignAsset;
    }
    let words = |regex: &Regex| -> Vec<String> {
        let found = letter.iter().flat_map(|text| regex.find_iter(&text.folded).map(|found| found.as_str().to_owned()));
        let mut words: Vec<String> = found.collect();
        words.sort_unstable();
        words.dedup();
        words
    };
    let shown = pictures.iter().any(|text| RUN.is_match(&text.folded));
    let signs = 4 * usize::from(signs.project) + 5 * usize::from(signs.run_or_job) + 4 * usize::from(signs.model);
    let run: usize = words(&RUN).iter().map(|word| 1 + usize::from(FAILURE.is_match(word))).sum();
    let billing: usize = words(&BILLING).iter().map(|word| 2 - usize::from(PASSING.is_match(word))).sum();
    let run = run + signs + usize::from(shown);
    if billing > 1 && billing > run { Topic::BillingOther } else { Topic::MissingOutput }
}

/// Words that also pass by in a ticket about a run: "on my plan", "since the reset".
static PASSING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:plan|plano|pack|buy|my card|bank|reset\w*|unused|trial|seats?|annual|yearly|upgrad\w+|downgrad\w+|tarif|paket|carta|carte|plan|プラン)$",
    )
});
/// Words for output that did not come.
static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:failed|never .*|nothing .*|empty|stuck|spinning|missing|0 kb|won't play|fehlgeschlagen|fehlt|kam nie|leer|fallo|no salio|no aparece|vacio|falhou|nao .*|vazio|echou\w*|vide|fallit\w|vuoto|mancante|mislukt|leeg|ontbreekt|misslyckades|saknas|失敗|表示され)$",
    )
});
