//! Japanese.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static JA: Phrases = Phrases {
    greeting: "お問い合わせいただきありがとうございます。",
    closing: "今後ともよろしくお願いいたします。\nサポート担当",
    and: "、",
    comma: "、",
    space: "",
    credits: Counted { one: "{n}クレジット", other: "{n}クレジット" },
    run_charged: "プロジェクト「{project}」、{model}、{when}開始、{credits}",
    run_free: "プロジェクト「{project}」、{model}、{when}開始",
    confirm_one: "次の実行を確認しました：{run}。",
    confirm_many: "次の実行を確認しました：",
    cause,
    wait_until: "遅くとも{when}までに、結果がプロジェクトに届くか、クレジットが戻ります。お客様に行っていただくことはありません。",
    still_running: "この実行はまだ処理中です。",
    lookup_pending: "この実行がどうなったかをまだ確認できていないため、{when}まで確認を続けます。それまでに確認できない場合は、クレジットをお戻しします。",
    to_balance: PerBalance {
        quota: "月間クレジットに{credits}",
        pool: "ワークスペースの共有クレジットに{credits}",
        wallet: "ウォレットに{credits}",
        workspace_wallet: "ワークスペースのウォレットに{credits}",
    },
    refund_posted: "クレジットはすでに返却済みです（{lines}、{when}）。「設定」の「請求」でご確認いただけます。",
    redebit: "返却済みの{credits}と引き換えに、結果をお届けすることもできます。ご希望の場合は、このメッセージにご返信ください。ご同意なく請求することはありません。",
    from_balance: PerBalance {
        quota: "月間クレジットから{credits}",
        pool: "ワークスペースの共有クレジットから{credits}",
        wallet: "ウォレットから{credits}",
        workspace_wallet: "ワークスペースのウォレットから{credits}",
    },
    released: "{when}にいただいたご同意に基づき、返却済みのクレジットを改めて請求しました（{lines}）。「設定」の「請求」でご確認いただけます。",
    released_to: "結果は現在、{place}にあります。再実行の必要はありません。",
    restored: "{lines}をお戻ししました。",
    to_workspace: "この実行の料金はワークスペースから支払われたため、クレジットは個人の残高ではなくワークスペースにお戻ししました。",
    to_current_period: "請求時の期間はすでに終了しているため、クレジットは現在の期間の利用枠に追加しました。",
    to_wallet: "請求元のサブスクリプションは終了しているため、クレジットは同じアカウントのウォレットにお戻ししました。",
    excluded: "この実行は利用量の合計に含まれなくなりました。",
    excluded_part: "利用量の合計では、この実行は現在{credits}として計上されています。",
    duplicate_removed: "{when}の{credits}の請求は重複していたため、取り消しました。最初の請求はそのままです。",
    at_node: "プロジェクト「{project}」のキャンバスの「{node}」",
    in_history: "プロジェクト「{project}」の生成履歴",
    history_entry: "プロジェクト「{project}」の生成履歴（{when}の「{model}」）",
    recovered: "結果は現在、{place}にあります。再実行の必要はなく、追加の料金もかかりません。",
    moved: "結果を正しい場所に移しました。現在は{place}にあります。",
    on_hold: "結果は{when}まで保管いたします。",
    free_space: "ストレージに空きがありません。{size}以上の空きを作り、このメッセージにご返信ください。ファイルをプロジェクトにお入れします。",
    free_some_space: "ストレージに空きがありません。空きを作り、このメッセージにご返信ください。ファイルをプロジェクトにお入れします。",
    location: "結果は{place}にあります。",
    drag_back: "履歴からキャンバスへはいつでも無料でドラッグして戻せます。",
    item_by_item: "内訳は次のとおりです：",
    item: Counted { one: "{items}番：{what}", other: "{items}番：{what}" },
    items_of: "{run}：",
    item_delivered: "お届け済み",
    item_recovered: "復元し、プロジェクトに入れました",
    item_restored: "{credits}をお戻ししました",
    item_held: "保管しています",
    item_waiting: "待機中です",
    item_refunded: "クレジットは返却済みです",
    item_open: "未納品（請求はそのままです）",
    kept_until: "ファイル自体は復元できませんでした。完成したファイルの保管期間には限りがあり、このファイルの期限は{when}でした。",
    no_longer_kept: "ファイル自体は復元できませんでした。完成したファイルの保管期間には限りがあり、このファイルはすでに利用できません。",
    delivered_stays: "結果はお届け済みのため、ご期待に沿わない場合でもクレジットをお戻しすることはできません。次の実行では、プロンプトや参照画像を変えると改善することがよくあります。",
    cancel_keeps: "モデルが処理を始めた後にキャンセルされました。処理が始まった時点から、請求は取り消されません。",
    deleted_keeps: "実行の処理中にプロジェクトが削除されました。処理自体は行われたため、請求は取り消されません。",
    not_charged: "この実行ではクレジットは請求されていないため、お戻しするものはありません。",
    privacy_review: "このようなことはあってはならないことです。プライバシーに関する調査を開始し、原因を確認しています。",
    foreign_removed: "お客様のものではないファイルを、プロジェクトから取り除きました。お客様ご自身のファイルやクレジットへの影響はありません。",
    owner_handles: "この件はワークスペースの所有者の方と対応しています。ワークスペースに関わることですので、詳細は所有者の方にお問い合わせください。",
    verify_identity: "確認を始める前に、アカウントのご本人様であることを確かめる必要があります。アカウントのメールアドレスからご連絡いただくか、サインインした状態で製品内からメッセージをお送りください。",
    ask_details: "対象の実行を特定するため、次の情報をお送りください：",
    details: [
        "プロジェクトID（プロジェクトのURLまたは設定に表示されます）",
        "実行した時刻とタイムゾーン",
        "使用したモデル",
        "期待していた結果",
        "キャンバスと、「請求」の利用明細行のスクリーンショット",
    ],
    linked_own: "この実行については、{when}にすでにお問い合わせをいただいています。対応が重複しないよう、そちらでご返答いたします。",
    linked: "この実行については、すでに対応中のお問い合わせがあります。対応が重複しないよう、そちらで解決いたします。",
    routed: "こちらは請求担当がお答えする内容です。メッセージを引き継ぎましたので、1営業日以内にこちらでご返答いたします。",
    months: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "どなたのアカウントに関するものか、まだ確認できていません。",
        Verdict::OutOfScope => "ご質問は、個別の実行に関するものではありません。",
        Verdict::ForeignAssetInProject => "お客様のプロジェクトに、本来あるはずのないファイルが表示されていました。",
        Verdict::NoMatch => "どの実行を指しているのか、確実に特定できませんでした。",
        Verdict::NotCharged => "この実行には料金がかかっていません。",
        Verdict::MisattributedOtherCustomer => {
            "結果は生成されましたが、当社側の誤りにより、誤った場所に保存されていました。"
        }
        Verdict::DuplicateCharge => "この実行は二重に請求されていました。",
        Verdict::CancelledBeforeStart => {
            "モデルが処理を始める前にキャンセルされたため、本来は料金がかからないはずでした。"
        }
        Verdict::CancelledAfterStart => "モデルが処理を始めた後にキャンセルされました。",
        Verdict::ProjectDeleted => "結果が完成した時点で、プロジェクトはすでに削除されていました。",
        Verdict::MisattributedSameCustomer => {
            "結果は生成されましたが、当社側の誤りにより、別の場所に置かれていました。"
        }
        Verdict::DeliveredNotOnCanvas => "結果は生成され、保存されています。キャンバス上に置かれていないだけです。",
        Verdict::DeliveredOk => "結果は生成され、キャンバスに置かれています。",
        Verdict::PartialBatch => "この実行の結果の一部が、プロジェクトに届いていませんでした。",
        Verdict::LateResult => "結果が届いたのは、クレジットが返却された後でした。",
        Verdict::CorruptOutput => "結果は生成されましたが、転送中にファイルが破損しました。",
        Verdict::NeverSubmitted => "当社側の不具合により、この実行はモデルに届いていませんでした。",
        Verdict::ProviderUnreachable => "現在、モデル側の状況を確認できません。",
        Verdict::InProgress => "この実行はまだ処理中です。",
        Verdict::ProviderStalled => "この実行は24時間以内に完了しなかったため、終了しました。",
        Verdict::ProviderFiltered => {
            "モデルの安全フィルターにより、結果が出力されませんでした。問題のないプロンプトでも起こることがあります。プロンプトの表現や参照画像を変えると、うまくいくことがよくあります。"
        }
        Verdict::ProviderFailed => "モデルから結果が返されませんでした。",
        Verdict::StorageQuotaExceeded => "結果は生成されましたが、ストレージの空きが足りず、保存できませんでした。",
        Verdict::UploadFailed => "結果は生成されましたが、当社側の不具合により、保存できませんでした。",
        Verdict::WebhookLost => "結果は生成されましたが、完成の通知が当社に届いていませんでした。",
    }
}
