//! Portuguese, as it is written in Brazil.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static PT: Phrases = Phrases {
    greeting: "Olá,",
    closing: "Atenciosamente,\nEquipe de suporte",
    and: " e ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} crédito", other: "{n} créditos" },
    run_charged: "projeto “{project}”, {model}, iniciada em {when}, {credits}",
    run_free: "projeto “{project}”, {model}, iniciada em {when}",
    confirm_one: "Verificamos esta execução: {run}.",
    confirm_many: "Verificamos estas execuções:",
    cause,
    wait_until: "No máximo até {when}, o resultado estará no projeto ou os créditos terão sido devolvidos. Não é preciso fazer nada.",
    still_running: "A execução ainda está sendo processada.",
    lookup_pending: "Ainda não conseguimos saber o que aconteceu com a sua execução e vamos continuar consultando até {when}. Se até lá não houver resposta, os créditos serão devolvidos.",
    to_balance: PerBalance {
        quota: "{credits} para a sua cota mensal",
        pool: "{credits} para o saldo compartilhado do espaço de trabalho",
        wallet: "{credits} para a sua carteira",
        workspace_wallet: "{credits} para a carteira do espaço de trabalho",
    },
    refund_posted: "Os créditos já foram devolvidos: {lines}, em {when}. Você pode ver isso em Configurações, Cobrança.",
    redebit: "O resultado ainda pode ser entregue em troca do valor devolvido ({credits}). Se quiser, basta responder a esta mensagem; sem o seu consentimento, nada é cobrado.",
    from_balance: PerBalance {
        quota: "{credits} da sua cota mensal",
        pool: "{credits} do saldo compartilhado do espaço de trabalho",
        wallet: "{credits} da sua carteira",
        workspace_wallet: "{credits} da carteira do espaço de trabalho",
    },
    released: "Com o seu consentimento de {when}, voltamos a debitar os créditos devolvidos: {lines}. Você pode ver isso em Configurações, Cobrança.",
    released_to: "O seu resultado está agora {place}. Não é preciso executar de novo.",
    restored: "Devolvemos {lines}.",
    to_workspace: "Quem pagou a execução foi o espaço de trabalho; por isso os créditos voltaram para ele, e não para um saldo pessoal.",
    to_current_period: "O período de cobrança do débito já terminou; por isso os créditos foram somados ao período atual, além da franquia dele.",
    to_wallet: "A assinatura de onde saiu o débito terminou; por isso os créditos foram para a carteira da mesma conta.",
    excluded: "A execução não conta mais no seu total de uso.",
    excluded_part: "No seu total de uso, a execução conta agora com {credits}.",
    duplicate_removed: "A cobrança de {credits} em {when} era duplicada e foi revertida. A primeira cobrança permanece.",
    at_node: "no projeto “{project}”, no canvas, em “{node}”",
    in_history: "no histórico de gerações do projeto “{project}”",
    history_entry: "no histórico de gerações do projeto “{project}”, na entrada “{model}” de {when}",
    recovered: "O seu resultado está agora {place}. Não é preciso executar de novo e não há nenhum custo adicional.",
    moved: "Colocamos o seu resultado no lugar certo: agora ele está {place}.",
    on_hold: "Vamos guardar o resultado para você até {when}.",
    free_space: "Não há espaço para ele no seu armazenamento. Libere pelo menos {size} e responda a esta mensagem; depois colocamos o arquivo no seu projeto.",
    free_some_space: "Não há espaço para ele no seu armazenamento. Libere espaço e responda a esta mensagem; depois colocamos o arquivo no seu projeto.",
    location: "O seu resultado está {place}.",
    drag_back: "Você pode arrastá-lo do histórico de volta para o canvas quando quiser, sem custo.",
    item_by_item: "Item por item:",
    item: Counted { one: "Item {items}: {what}", other: "Itens {items}: {what}" },
    items_of: "Para {run}:",
    item_delivered: "já no seu projeto",
    item_recovered: "recuperação concluída, agora no seu projeto",
    item_restored: "devolução de {credits}",
    item_held: "sob guarda para você",
    item_waiting: "em espera",
    item_refunded: "créditos já devolvidos",
    item_open: "sem entrega; a cobrança permanece",
    kept_until: "O arquivo não pode mais ser recuperado: arquivos prontos ficam guardados por tempo limitado, e este ficou disponível até {when}.",
    no_longer_kept: "O arquivo não pode mais ser recuperado: arquivos prontos ficam guardados por tempo limitado, e este não está mais disponível.",
    delivered_stays: "O resultado foi entregue; por isso não podemos devolver os créditos, mesmo que não seja o que você esperava. Na próxima execução, costuma ajudar mudar o prompt ou a imagem de referência.",
    cancel_keeps: "A execução foi cancelada quando o modelo já tinha começado a trabalhar. A partir desse momento, a cobrança permanece.",
    deleted_keeps: "O projeto foi excluído enquanto a execução era processada. O trabalho foi feito mesmo assim; por isso a cobrança permanece.",
    not_charged: "Nenhum crédito foi cobrado por esta execução; portanto, não há nada a devolver.",
    privacy_review: "Isso não deveria ter acontecido. Abrimos uma análise de privacidade e estamos apurando o caso.",
    foreign_removed: "Retiramos do seu projeto o arquivo que não pertence a você. Isso não afeta os seus próprios arquivos nem os seus créditos.",
    owner_handles: "Estamos resolvendo isso com a pessoa proprietária do espaço de trabalho. Como o assunto diz respeito ao espaço de trabalho, peça os detalhes a ela.",
    verify_identity: "Antes de analisar o caso, precisamos ter certeza de que estamos falando com o titular da conta. Escreva para nós a partir do endereço de e-mail da conta ou envie uma mensagem de dentro do produto, com a sessão iniciada.",
    ask_details: "Para encontrarmos a execução certa, envie por favor:",
    details: [
        "o ID do projeto (está no endereço do projeto ou nas configurações dele)",
        "o horário da execução, com o fuso horário",
        "o modelo utilizado",
        "o que você esperava receber",
        "capturas de tela do canvas e da linha de uso em Cobrança",
    ],
    linked_own: "Você já nos escreveu sobre esta execução em {when}. Vamos responder por lá, para que nada seja feito duas vezes.",
    linked: "Já existe uma solicitação aberta sobre esta execução. Vamos resolvê-la por lá, para que nada seja feito duas vezes.",
    routed: "Esta é uma pergunta para a nossa equipe de cobrança. Encaminhamos a sua mensagem; você terá uma resposta aqui em até um dia útil.",
    months: [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "Ainda não sabemos de quem é a conta.",
        Verdict::OutOfScope => "A sua pergunta não se refere a uma execução específica.",
        Verdict::ForeignAssetInProject => "Aparecia no seu projeto um arquivo que não deveria estar lá.",
        Verdict::NoMatch => "Não conseguimos identificar com certeza a qual execução você se refere.",
        Verdict::NotCharged => "A execução não custou nada.",
        Verdict::MisattributedOtherCustomer => {
            "O seu resultado foi gerado, mas por um erro nosso ficou guardado no lugar errado."
        }
        Verdict::DuplicateCharge => "A execução foi cobrada mais de uma vez.",
        Verdict::CancelledBeforeStart => {
            "A execução foi cancelada antes de o modelo começar a trabalhar; portanto, não deveria ter custado nada."
        }
        Verdict::CancelledAfterStart => "A execução foi cancelada quando o modelo já tinha começado a trabalhar.",
        Verdict::ProjectDeleted => "O seu resultado ficou pronto depois que o projeto foi excluído.",
        Verdict::MisattributedSameCustomer => {
            "O seu resultado foi gerado, mas por um erro nosso foi parar em outro lugar."
        }
        Verdict::DeliveredNotOnCanvas => "O seu resultado foi gerado e salvo; só não está no canvas.",
        Verdict::DeliveredOk => "O seu resultado foi gerado e está no canvas.",
        Verdict::PartialBatch => "Nem todos os resultados desta execução chegaram ao seu projeto.",
        Verdict::LateResult => "O resultado só chegou depois que os créditos já tinham sido devolvidos.",
        Verdict::CorruptOutput => "O seu resultado foi gerado, mas o arquivo foi danificado na transferência.",
        Verdict::NeverSubmitted => "Por uma falha nossa, a execução nunca chegou ao modelo.",
        Verdict::ProviderUnreachable => "No momento não é possível consultar a situação junto ao modelo.",
        Verdict::InProgress => "A execução ainda está sendo processada.",
        Verdict::ProviderStalled => "A execução não terminou em 24 horas e por isso foi encerrada.",
        Verdict::ProviderFiltered => {
            "O filtro de segurança do modelo reteve o resultado. Isso pode acontecer também com prompts inofensivos; costuma ajudar reformular o prompt ou usar outra imagem de referência."
        }
        Verdict::ProviderFailed => "O modelo não devolveu nenhum resultado.",
        Verdict::StorageQuotaExceeded => {
            "O seu resultado foi gerado, mas não pôde ser salvo porque o seu armazenamento estava cheio."
        }
        Verdict::UploadFailed => "O seu resultado foi gerado, mas uma falha nossa impediu que fosse salvo.",
        Verdict::WebhookLost => "O seu resultado foi gerado, mas o aviso de que estava pronto não chegou até nós.",
    }
}
