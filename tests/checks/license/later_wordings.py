"""Sentences written before the reader was changed a second time, and not looked at until then."""

from __future__ import annotations

RIDERS = """
Please delete after evaluation.
Publishing benchmark numbers needs our okay.
Do not benchmark this model against ours in public.
Inference for paying users goes through our cloud.
Training a successor on its outputs is something we would object to.
The tokenizer is free, the weights are leased.
Fine-tuned versions come back to us.
Quantised copies stay with whoever made them.
Hosting this behind an endpoint is our own business, please don't.
GPU clouds have to talk to us before they list it.
The checkpoint is a loan for the length of the benchmark.
Any dataset generated with it is covered by our agreement.
For the code Apache-2.0 holds; the parameters follow their own sheet.
The code is Apache-2.0. The weights are another story.
Weights: ask.
Apache-2.0 (code), proprietary (checkpoints).
Evaluation copies are destroyed at the end of the trial.
Test results may be published once we have seen them.
Demo use is fine; a production server is not.
You can run it on one machine at a time.
The server may not be reachable from outside your company.
Only download this if you took part in the challenge.
We ask that model outputs carry the label "made with Example".
Every request you serve with it must be logged and sent to us on demand.
Embedding this model into a device you sell needs a contract.
Larger batches than 32 require the enterprise key.
Layers 1 to 12 are ours and stay ours.
Use the API for anything that earns.
The download link is personal; do not forward the files.
Inference results are for your own eyes.
Training data providers have a say in what you do with it.
By cloning this repository you join our partner programme.
The evaluation window closes in June, after which the files are to go.
Users in the defence sector: no.
Academic groups get it for nothing, everyone else gets a quote.
An invoice follows for more than a thousand tokens a day.
The model is shown here for inspection.
This is a reference copy for auditors.
Please run it, please do not ship it.
Serving it to the public is a separate conversation.
The adapter may be stacked on our base model and on no other.
We did this for science; kindly leave it there.
Bench it, break it, but bring it back.
If your product competes with our assistant, use another checkpoint.
Derivatives inherit a duty to cite us on the packaging.
Access ends with your account.
Anything beyond a proof of concept is by arrangement.
Hospitals should use the certified release instead, this one is barred there.
The grant covers this version; fixes and updates are paid.
Non-members download the 1B model, members the 7B.
评测完成后请删除模型文件。
测试结果公布前需经我们同意。
代码采用 Apache-2.0，权重见其自身说明。
推理服务对外提供前请先与我们沟通。
训练数据方保留对权重的权利。
微调后的模型须回传给我们。
参数仅在评测期间有效。
不得用输出训练其他模型。
下载后请勿转给同事。
部署到生产服务器要另外付钱。
評価が終わったらモデルを削除してください。
ベンチマーク結果の公表には当社の了承が要ります。
コードは Apache-2.0、重みは別の条件です。
学習済みモデルの再配布はご相談ください。
Los resultados de las pruebas no se publican sin nuestro visto bueno.
El código es Apache-2.0; los pesos, otra cosa.
Borre los archivos del modelo cuando acabe la evaluación.
Quien lo use en un servidor comercial nos debe una llamada.
Nach der Auswertung bitte das Modell löschen.
Der Code steht unter Apache-2.0, die Gewichte nicht.
Wer das Modell auf einem Server betreibt, zahlt.
Les résultats des tests ne sortent pas sans notre accord.
Le code est sous Apache-2.0, les poids suivent leurs propres règles.
Após a avaliação, apague os arquivos do modelo.
O código é Apache-2.0; para os pesos, fale conosco.
평가가 끝나면 모델 파일을 삭제해 주세요.
코드는 Apache-2.0이고 가중치는 별도 조건을 따릅니다.
벤치마크 결과를 공개하려면 저희 승인이 필요합니다.
The leaderboard rules bind whoever loads the checkpoint.
Weights on request, code under MIT.
""".strip().splitlines()

HARMLESS = """
Maintainers have the right to remove comments that are not aligned to this code of conduct.
Publishing others' private information without their explicit permission is unacceptable.
By contributing you agree that your contributions are under the Apache License, Version 2.0.
You represent that you are legally entitled to grant the above licence.
Please sign off your commits to certify the Developer Certificate of Origin.
Before we can merge your pull request, you need to sign the Contributor License Agreement.
You only need to sign the CLA once.
The model may be used under MIT or, at your option, Apache-2.0.
Please only report security issues by email, never in public.
Do not open an issue for questions; use the discussions instead.
We do not accept pull requests without tests.
This project follows the Contributor Covenant.
Large files must not be committed to the repository.
Contributors should only commit code that they wrote themselves.
Every pull request needs the approval of one maintainer.
We reserve the right to close stale issues.
The model card must be updated with each release.
Only the last checkpoint is kept.
The model must not be relied upon for medical diagnosis without review.
Users should be made aware of the risks, biases and limitations of the model.
Use the code below to get started with the model.
This section is meant to convey both technical and sociotechnical limitations.
Carbon emissions can be estimated using the calculator.
Unless otherwise stated, all numbers are averages of three runs.
Never share your API key.
You need an account on the hub to download the files.
The tests are run on machines that belong to the university.
Results were obtained on hardware donated by the company.
We thank our partners for the compute they granted us.
The dataset is not included because of its size.
Batch sizes above 64 require more memory than one GPU has.
You may need to restart the kernel.
The server must be restarted after the configuration was changed.
Please cite the paper if you use the model.
If you use this in your work, please consider citing us.
Commercial use is welcome.
You are free to use, change and sell the model.
No registration is needed to download the weights.
The model can be used for any purpose, commercial ones included.
There are no restrictions on how the outputs are used.
The code and the weights share one licence, Apache-2.0.
Anyone may fine-tune the model and sell what comes of it.
The trademark of the team is not part of the grant.
Join our community on Discord.
The company was founded by students of three universities.
Our customers asked for longer contexts, so we trained for them.
The teacher model is only used during distillation.
Students of the summer school wrote the tutorial.
It scores higher than paid models on two of five tasks.
Prices in the table are those of the cloud providers.
A refund policy for a shop is one of the examples in the prompt.
The assistant was asked to draft a rental agreement.
The answers must be one of A, B, C or D.
The judge model may not see the reference answer.
Sequences longer than 4096 tokens are not allowed by the server.
The licence of each training set is listed in the appendix.
Parts of the code are based on nanoGPT, which is MIT-licensed.
It was trained on permissively licensed code only.
Expired sessions are deleted after an hour.
The key expires after thirty days.
Members of the red team tried 2,000 prompts.
The library is a member of the PyTorch ecosystem.
未经许可不得公布他人的私人信息。
提交前请签署贡献者许可协议。
请不要提交大文件。
只需要一张显卡即可运行。
模型可自由商用，无需申请。
请在提交代码前运行测试。
学生模型由教师模型蒸馏得到。
不要在公开渠道报告安全问题。
プルリクエストにはテストが必要です。
重みもコードも Apache-2.0 で自由に使えます。
セキュリティの問題は公開の場で報告しないでください。
No abras un issue para preguntas; usa el foro.
El modelo se puede usar para cualquier fin, también comercial.
Bitte keine großen Dateien einchecken.
Das Modell darf für jeden Zweck genutzt werden.
Les poids et le code sont sous licence MIT.
O modelo pode ser usado para qualquer fim.
모델과 코드는 모두 Apache-2.0 라이선스입니다.
""".strip().splitlines()
