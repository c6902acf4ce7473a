"""Sentences worded freely before the reader was changed: riders, and harmless near misses.

One half of them, by digest, was not looked at until the reader was finished: `HELD`.
"""

from __future__ import annotations

import hashlib

RIDERS = """
You may look but not deploy.
Residents of Bavaria only.
The weights expire on the last day of 2027.
Kindly do not put this behind an API that others can reach.
This checkpoint is on loan to you until the end of the semester.
Nobody outside our consortium may run it.
Acme keeps every right in these parameters.
For the eyes of reviewers.
We lend this model to partners for as long as the project lasts.
After the summer, please erase your copy.
Anyone earning money with it owes us a share.
Not meant to leave your laptop.
If you work for a bank, this release is not for you.
Teachers may use it in class; others, ask.
Courtesy copy, please hand it back on request.
What you make with it is ours too.
Downloads are counted as acceptance of our house rules.
Use it at school, at home, nowhere else.
Our lawyers want a word before you ship anything.
Competitors of Acme are kindly asked to stay away.
You get a right to inspect, and nothing more.
This snapshot may be examined by members of the working group.
Each machine that runs it needs its own key from us.
We retain the power to switch off your right to use this.
No one shall benefit financially from the parameters.
Everything here is Acme's property.
Small shops are welcome; large corporations should ring us.
The grant lapses once a newer release is out.
Anybody may read it, members may run it.
A donation is expected of whoever sells services around it.
Please limit yourself to trying it out.
Governments need our blessing first.
Valid through March.
You undertake to report your usage to us each quarter.
Keep it to yourself.
Our permission can be taken back whenever we like.
The parameters are made available on a look-see basis.
Only natural persons.
Firms must take part in our partner scheme.
We reserve the output for ourselves.
Intended users are the participants of the shared task, and nobody else.
Passing it on to colleagues is a breach.
You accept to be audited.
It is free until you have customers.
Should you exceed ten developers, call us.
The holder of this copy is answerable to Acme for what is done with it.
Deployment is reserved to certified integrators.
Hands off if you are in the gambling trade.
This preview goes dark in autumn.
Use in anger is another matter: talk to sales.
The parameters were shared with us in confidence.
By invitation.
Do as you like, as long as nobody pays you for it.
We ask for five euros a month per seat.
Persons under eighteen may not operate it.
See the terms at https://acme.example/legal, which apply to the weights.
The conditions on our home page take precedence over the LICENSE file.
The LICENSE file covers the scripts.
Weights: ask.
Rights in the weights stay with the university.
The Apache grant ended with version 1.2.
Since version 2 the old licence is gone.
Contact the tech transfer office about the weights.
It shall be operated on our cloud alone.
Please delete after evaluation.
The model is a trade secret of Acme.
You may not tell others how well it performs.
Publishing benchmark numbers needs our okay.
Every product built on it has to be open source too.
Under this release, hospitals are excluded.
Do not connect it to anything that faces the public.
The weights come with strings attached, which Annex B spells out.
仅老师可用。
权重仍属于公司财产。
看看可以，上线不行。
限本省居民使用。
权重有效期至明年六月。
借给合作伙伴使用，项目结束后归还。
谁拿它赚钱，就要分我们一份。
公司要用，先打个招呼。
生成内容归我们所有。
别把它放到公网上。
试用满三个月后请删除。
会员才能运行。
大企业请致电我们。
我们随时可以收回使用资格。
供评审阅览。
只许在自己的电脑上跑。
银行从业者勿用。
使用即代表接受本站规则。
不要转给同事。
每季度须向我们汇报使用情况。
发布评测成绩需经我们点头。
权重由客户保密持有。
政府部门使用要先报备。
超过十名开发者时，按人头收费。
学期结束，使用权终止。
权重的条款见官网。
Apache 授权只覆盖脚本，权重另说。
新版发布后，旧授权作废。
部署限于认证集成商。
本模型为内部资料，请勿外传。
未成年人不宜使用本权重。
所有权归实验室。
拿去上课没问题，拿去做生意不可以。
凭邀请码使用。
须在我们的云上运行。
竞争对手请绕行。
模型系借用，非赠与。
商家入驻后方可调用权重。
衍生品也必须开源。
医院不在授权范围内。
先生だけが使えます。
重みの所有権は当社にあります。
見るのは自由ですが、運用はご遠慮ください。
来年三月まで有効です。
プロジェクト終了後は返却してください。
お金を稼ぐ場合は分け前をいただきます。
会社で使うときは一声かけてください。
生成物は私たちのものになります。
公開サーバーには置かないでください。
会員限定です。
大企業の方は営業にお電話ください。
権利はいつでも取り消せます。
査読者の閲覧用です。
同僚に渡さないでください。
四半期ごとに使用状況を報告すること。
官公庁は事前に届け出てください。
ライセンスはスクリプトのみを対象とします。
評価が済んだら削除してください。
当社のクラウド上でのみ動かせます。
未成年者は使用できません。
招待制です。
病院は対象外です。
가중치는 회사 재산입니다.
선생님만 사용할 수 있습니다.
보는 것은 괜찮지만 서비스에 올리지 마세요.
내년 3월까지 유효합니다.
프로젝트가 끝나면 반납해야 합니다.
돈을 벌면 일부를 내야 합니다.
회사에서 쓰려면 먼저 연락하세요.
회원 전용입니다.
동료에게 넘기지 마십시오.
생성물의 권리는 저희에게 있습니다.
언제든지 사용 권한을 회수할 수 있습니다.
평가 후 삭제해 주세요.
라이선스는 스크립트에만 적용됩니다.
우리 클라우드에서만 실행할 수 있습니다.
미성년자는 사용할 수 없습니다.
대기업은 별도로 협의해야 합니다.
분기마다 사용 현황을 보고해야 합니다.
병원은 제외됩니다.
Se puede mirar, pero no desplegar.
Solo para residentes de Galicia.
Los pesos caducan a fin de año.
Los pesos siguen siendo de la empresa.
Quien gane dinero con ello nos debe una parte.
Al terminar el curso, borre su copia.
Lo que genere es nuestro.
Las grandes empresas, que llamen antes.
Prestado a nuestros socios mientras dure el proyecto.
Podemos retirarle el derecho de uso cuando queramos.
Para los ojos de los revisores.
No lo pase a sus compañeros.
La licencia cubre los scripts, no los parámetros.
Los hospitales quedan fuera.
Con invitación.
Los menores no deben manejarlo.
Debe correr en nuestra nube.
Rige lo que dice nuestra página web.
Ansehen ja, betreiben nein.
Nur für Einwohner Bayerns.
Die Gewichte laufen Ende des Jahres ab.
Die Gewichte bleiben Eigentum der Firma.
Wer damit Geld verdient, schuldet uns einen Anteil.
Nach dem Semester bitte löschen.
Was es erzeugt, gehört uns.
Großunternehmen rufen bitte vorher an.
Leihgabe an unsere Partner für die Dauer des Projekts.
Wir können Ihnen das Recht jederzeit entziehen.
Bitte nicht an Kollegen weiterreichen.
Die Lizenz gilt den Skripten, nicht den Gewichten.
Krankenhäuser sind ausgenommen.
Auf Einladung.
Minderjährige dürfen es nicht bedienen.
Es gelten die Bedingungen auf unserer Webseite.
Regarder oui, déployer non.
Réservé aux habitants de Bretagne.
Les poids expirent à la fin de l'année.
Les poids restent la propriété de la société.
Qui gagne de l'argent avec nous en doit une part.
À la fin du semestre, effacez votre copie.
Ce qu'il produit nous appartient.
Les grands groupes sont priés de nous appeler.
Prêté à nos partenaires le temps du projet.
Nous pouvons vous retirer ce droit à tout moment.
Merci de ne pas le passer à vos collègues.
La licence couvre les scripts, pas les paramètres.
Les hôpitaux sont exclus.
Sur invitation.
Les mineurs ne doivent pas s'en servir.
Les conditions de notre site font foi.
Pode olhar, mas não implantar.
Apenas para moradores de São Paulo.
Os pesos expiram no fim do ano.
Os pesos continuam sendo da empresa.
Quem ganhar dinheiro com isso nos deve uma parte.
Depois do semestre, apague a sua cópia.
O que ele gera é nosso.
Grandes empresas devem ligar antes.
Podemos retirar o direito de uso a qualquer momento.
Não passe aos colegas.
A licença cobre os scripts, não os parâmetros.
Hospitais ficam de fora.
Mediante convite.
Menores não devem operá-lo.
""".strip().splitlines()

HARMLESS = """
You may look at the logs while the server starts.
Only the last two layers were trained.
The session token expires after one hour.
Please do not forget to set the padding token.
The cache is kept until the process ends.
Nobody has evaluated the 4-bit files on long documents yet.
Each layer keeps its own state.
Reviewers of the paper asked for the ablation in Table 4.
Training lasted as long as the budget of GPU hours allowed.
After the download, check the digest of each shard.
Anyone can run it on a laptop with 16 GB of memory.
Batch sizes above 64 are not supported on older cards.
If you work with long documents, raise the context length.
Teachers use it to draft quizzes.
Copy the file to the model folder and restart.
The outputs are ours, taken from a greedy run.
Downloads are counted by the hub.
It works at school, at home and on the train.
Our engineers fixed the tokenizer before the release.
Other models stay behind on this benchmark.
You get an object with the fields text and usage.
This figure may be compared with the one in the report.
Each machine needs its own copy of the shards.
We switch off dropout at inference.
No single score tells the whole story.
Everything here was tested on Ubuntu 22.04.
Small models are quick; large ones answer better.
The learning rate decays once warm-up is over.
Anybody may open an issue or a pull request.
Donations to the foundation are welcome but never needed.
Limit yourself to a temperature of 0.7 for code.
Government reports were part of the training data.
Scores are valid through the whole context window.
Report bugs on the issue tracker.
Keep the system prompt short.
A running request can be cancelled whenever you like.
The weights are made available as safetensors.
Only integers are accepted as seeds.
Companies use it for search and summarisation.
We reserve 5 % of the data for validation.
Intended users are developers who build chat applications.
Pass the messages as a list of dicts.
You accept a small loss of quality with 4-bit weights.
It is free to use, change and sell.
Should you see an out-of-memory error, lower the batch size.
The caller is responsible for closing the session.
Deployment takes one command with vLLM.
The model can play card games, too.
The preview of the web interface is dark by default.
Use in production needs no further steps.
The paper was shared at a workshop.
By default, thinking mode is on.
Do as you like: the licence is MIT.
We measured five tokens a second per user on a phone.
Children's stories make up 2 % of the corpus.
See the documentation at https://acme.example/docs for all flags.
The options in the configuration file take precedence over the command line.
The LICENSE file is in the root of the repository.
Weights: see the files tab.
Thanks to the university for the compute.
Support for Python 3.8 ended with version 1.2.
Since version 2 the old prompt format is gone.
Contact the authors by opening an issue.
It shall be noted that greedy decoding may loop.
Please delete the old cache before you upgrade.
The recipe of the data mix is described in the report.
You may not see any difference between the two templates.
Publishing the model to a registry takes a minute.
Every product name in the figures is an example.
Under this setting, tables are excluded from the score.
Do not connect two servers to the same port.
The tokenizer comes with special tokens, which Appendix B lists.
教师模型有 70B 参数。
权重仍需手动下载。
单卡可以，多卡也行。
本省的方言数据来自公开广播。
会话有效期为一小时。
项目结束后我们会补充文档。
谁都可以提交代码。
公司和个人都可以免费使用。
生成内容可能有误，请自行核实。
别忘了设置环境变量。
训练满三个轮次后请评测一次。
会员系统的示例见 demo 目录。
大批量推理请使用 vLLM。
我们随时欢迎反馈。
供参考的提示词见附录。
只需在自己的电脑上安装依赖。
银行客服是常见的应用场景。
使用前请先安装 transformers。
不要同时启动两个服务。
每一层须加载到同一张显卡。
发布前需要先运行测试。
权重由多个分片组成。
政府公开文件占语料的百分之三。
超过 32K 时，请开启 YaRN。
推理结束，显存会释放。
权重的下载地址见模型库。
代码和权重都采用 Apache 2.0 许可证。
新版发布后，旧接口仍可用。
部署仅需一条命令。
本模型为基础版本，未做对齐。
模型不宜使用过高的温度。
感谢实验室提供算力。
拿去上课没问题，拿去做生意也可以。
凭 API 密钥调用接口。
须在 GPU 上运行。
优于同规模的竞争模型。
模型权重可以自由商用。
安装完成后方可调用脚本。
衍生模型列表见社区页面。
医学问题不在评测范围内。
先生役のモデルは70Bです。
重みは四つのファイルに分かれています。
試すのは簡単です。
トークンは一時間有効です。
終了後はキャッシュを削除してください。
推論には分割した重みをロードします。
会社でも個人でも自由に使えます。
生成物には誤りが含まれることがあります。
公開サーバーの例はdemoフォルダにあります。
英語と日本語に対応しています。
大きなバッチではvLLMを使ってください。
設定はいつでも変更できます。
論文の付録に例があります。
温度を上げすぎないでください。
エポックごとに損失を記録します。
事前に依存ライブラリをインストールしてください。
ライセンスはMITです。
評価にはMMLUを使いました。
GPU上でのみ動作を確認しました。
未知の単語も処理できます。
既定では思考モードです。
表は付録にあります。
가중치는 네 개의 파일로 나뉘어 있습니다.
교사 모델은 70B입니다.
설치는 간단하며 예제도 있습니다.
세션은 한 시간 동안 유지됩니다.
다운로드가 끝나면 체크섬을 확인하세요.
긴 문서에서는 컨텍스트를 늘리세요.
회사와 개인 모두 자유롭게 사용할 수 있습니다.
영어와 한국어를 지원합니다.
온도를 너무 높이지 마세요.
생성물에는 오류가 있을 수 있습니다.
설정은 언제든지 바꿀 수 있습니다.
평가에는 MMLU를 사용했습니다.
라이선스는 MIT입니다.
GPU에서 실행할 수 있습니다.
결과는 아래 표에 있습니다.
대규모 배치에는 vLLM을 사용하세요.
에포크마다 손실을 기록합니다.
토크나이저는 새로 학습했습니다.
Se puede ejecutar en un portátil.
Solo se entrenó la última capa.
La sesión caduca en una hora.
Los pesos siguen el formato safetensors.
Quien quiera puede abrir un issue.
Al terminar la descarga, compruebe la suma.
Lo que genera puede tener errores.
Las grandes tablas están en el apéndice.
Funciona mientras haya memoria.
Podemos cambiar la plantilla cuando queramos.
Gracias a los revisores por sus comentarios.
No lo ejecute dos veces en el mismo puerto.
La licencia es MIT.
Los textos médicos forman el 2 % del corpus.
Con cuatro GPU tarda un minuto.
Los parámetros no caben en 8 GB.
Debe instalar primero las dependencias.
Se publica bajo Apache 2.0, con uso comercial.
Starten, warten, fertig.
Nur die letzte Schicht wurde trainiert.
Das Training lief bis Ende des Jahres.
Die Gewichte bleiben im Speicher.
Wer Fehler findet, öffnet bitte ein Issue.
Nach dem Download bitte die Prüfsumme vergleichen.
Was es erzeugt, kann falsch sein.
Große Modelle brauchen mehr Speicher.
Dank an unsere Partner für die Rechenzeit.
Sie können die Vorlage jederzeit ändern.
Bitte nicht zweimal auf demselben Port starten.
Die Lizenz ist MIT.
Medizinische Texte machen 2 % aus.
Auf vier GPUs dauert es eine Minute.
Die Dateien dürfen nicht umbenannt werden, sonst schlägt das Laden fehl.
Es gelten die üblichen Standardwerte.
Installer, lancer, terminé.
Seule la dernière couche a été entraînée.
La session expire au bout d'une heure.
Les poids restent en mémoire.
Qui trouve une erreur peut ouvrir un ticket.
À la fin du téléchargement, vérifiez la somme.
Ce qu'il produit peut être faux.
Les grands modèles sont plus lents.
Merci à nos partenaires pour le calcul.
Vous pouvez changer le modèle de conversation à tout moment.
Merci de ne pas lancer deux serveurs sur le même port.
La licence est MIT.
Les textes médicaux sont exclus du score.
Sur quatre GPU, il faut une minute.
Les poids ne tiennent pas dans 8 Go.
Les réglages du fichier priment.
Pode rodar em um notebook.
Apenas a última camada foi treinada.
A sessão expira em uma hora.
Os pesos continuam em safetensors.
Quem quiser pode abrir uma issue.
Depois do download, confira a soma.
O que ele gera pode conter erros.
Modelos grandes precisam de mais memória.
Podemos mudar o modelo de conversa a qualquer momento.
Não rode dois servidores na mesma porta.
A licença é MIT.
Textos médicos são 2 % do corpus.
Com quatro GPUs leva um minuto.
Usuários podem ajustar a temperatura.
""".strip().splitlines()


def is_held(sentence: str) -> bool:
    """Whether a sentence is of the half that was kept to the end."""
    return hashlib.sha256(sentence.encode()).digest()[0] % 2 == 1
