/** First topics of the logs that are read, by the contract family that emits them. Each is keccak of the signature. */
export const TOPIC = {
  /** Transfer(address,address,uint256): ERC-20 with three topics, ERC-721 with four. */
  transfer: "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  /** Deposit(address,uint256) and Withdrawal(address,uint256) of WETH9. */
  wethDeposit: "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c",
  wethWithdrawal: "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65",
  /** Swap(address,uint256,uint256,uint256,uint256,address), Mint(address,uint256,uint256), Burn(address,uint256,uint256,address). */
  v2Swap: "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
  v2Mint: "0x4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f",
  v2Burn: "0xdccd412f0b1252819cb1fd330b93224ca42612892bb3f4f789976e6d81936496",
  /** Swap(address,address,int256,int256,uint160,uint128,int24). */
  v3Swap: "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
  /** Mint(address,address,int24,int24,uint128,uint256,uint256). */
  v3Mint: "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde",
  /** Burn(address,int24,int24,uint128,uint256,uint256) and Collect(address,address,int24,int24,uint128,uint128). */
  v3Burn: "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c",
  v3Collect: "0x70935338e69775456a85ddef226c395fb668b63fa0115f5f20610b388e6ca9c0",
  /** Trade(address,address,address,uint256,uint256,uint256,bytes) of CoW's GPv2Settlement. */
  cowTrade: "0xa07a543ab8a018198e99ca0184c93fe9050a79400a0a723441f84de1d972cc17",
  /** Aave v2 and v3: Deposit, Supply, Withdraw, Borrow (two forms), Repay (two forms). */
  aaveDeposit: "0xde6857219544bb5b7746f48ed30be6386fefc61b2f864cacf559893bf50fd951",
  aaveSupply: "0x2b627736bca15cd5381dcf80b0bf11fd197d01a037c52b927a881a10fb73ba61",
  aaveWithdraw: "0x3115d1449a7b732c986cba18244e897a450f61e1bb8d589cd2e69e6c8924f9f7",
  aaveBorrow: "0xb3d084820fb1a9decffb176436bd02558d15fac9b0ddfed8c465bc7359d7dce0",
  aaveV2Borrow: "0xc6a898309e823ee50bac64e45ca8adba6690e99e7841c45d754e2a38e9019d9b",
  aaveRepay: "0xa534c8dbe71f871f9f3530e97a74601fea17b426cae02e1c5aee42c96c784051",
  aaveV2Repay: "0x4cdde6e09bb755c9a5589ebaec640bbfedff1362d4b255ebf8339782b9942faa",
} as const;

/** CoW's settlement contract, and the address by which its orders name native ether. */
export const COW_SETTLEMENT = "0x9008d19f58aabd9ed0d60971565aa8510560ab41";
export const COW_NATIVE = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
